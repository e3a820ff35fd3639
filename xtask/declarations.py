"""Holds files against what CodePipeline's CreatePipeline takes: names of fields, types, lengths, counts.

This is the validation that the AWS CLI does before it sends `create-pipeline --cli-input-json`. Patterns and values of
enumerations are the service's to check, so those are compared here as well.
"""

import json
import re
import sys

import botocore.session
import botocore.validate


def values(shape, value, path):
    """Yields what breaks a pattern or an enumeration."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            yield from values(shape.members[name], inner, f"{path}.{name}")
    elif shape.type_name == "list":
        for index, inner in enumerate(value):
            yield from values(shape.member, inner, f"{path}[{index}]")
    elif shape.type_name == "map":
        for key, inner in value.items():
            yield from values(shape.key, key, f"{path} key")
            yield from values(shape.value, inner, f"{path}.{key}")
    elif shape.type_name == "string":
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max", sys.maxsize)
        if not least <= len(value) <= most:
            yield f"{path}: `{value}` has {len(value)} characters, not {least} to {most}"
        if shape.enum and value not in shape.enum:
            yield f"{path}: `{value}` is not one of {', '.join(shape.enum)}"
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern, value):
            yield f"{path}: `{value}` does not match {pattern}"


model = botocore.session.get_session().get_service_model("codepipeline")
shape = model.operation_model("CreatePipeline").input_shape
faults = []
for file in sys.argv[1:]:
    with open(file, encoding="utf-8") as text:
        declaration = json.load(text)
    report = botocore.validate.ParamValidator().validate(declaration, shape)
    if report.has_errors():
        faults.append(f"{file}: {report.generate_report()}")
    else:
        faults.extend(f"{file}: {fault}" for fault in values(shape, declaration, "input"))
if faults:
    sys.exit("\n".join(faults))
