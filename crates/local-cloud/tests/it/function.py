"""A function: answers each event with its process and its environment, and does what the event asks."""

import http.client
import json
import os
import time

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    event = json.load(answer)
    base = "/2018-06-01/runtime/invocation/" + answer.headers["Lambda-Runtime-Aws-Request-Id"]
    if event == "crash":
        os._exit(3)
    if event == "sleep":
        time.sleep(60)
    if event == "slow":
        time.sleep(0.3)
    if event == "fail":
        api.request("POST", base + "/error", json.dumps({"errorMessage": "no", "errorType": "No"}))
    else:
        body = json.dumps({"pid": os.getpid(), "environment": dict(os.environ)})
        api.request("POST", base + "/response", body)
    api.getresponse().read()
    if event == "end":
        os._exit(0)
