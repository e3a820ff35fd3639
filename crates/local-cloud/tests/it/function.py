"""A function: answers each event with its process and its environment, and does what the event asks."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def post(path, body):
    api.request("POST", "/2018-06-01/runtime/" + path, body)
    answer = api.getresponse()
    answer.read()
    return answer.status


at_start = sys.argv[1] if len(sys.argv) > 1 else ""
if at_start == "exit":
    sys.exit(7)
if at_start == "refuse":
    post("init/error", json.dumps({"errorMessage": "no table", "errorType": "Settings"}))
    sys.exit(1)
# Python itself sets the first on a machine without the locale, and macOS the others.
environment = {k: v for k, v in os.environ.items() if k != "LC_CTYPE" and not k.startswith("__")}
count = 0
status = None
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    event = json.load(answer)
    base = "invocation/" + answer.headers["Lambda-Runtime-Aws-Request-Id"]
    count += 1
    if event == "crash":
        os._exit(3)
    if event == "sleep":
        time.sleep(60)
    if event == "ignore SIGTERM":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
    if event.startswith("start a child"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        with open(event.split(": ")[1], "w") as file:
            file.write(str(child.pid))
        time.sleep(60)
    if event == "slow":
        time.sleep(0.3)
    if event == "fail":
        post(base + "/error", json.dumps({"errorMessage": "no", "errorType": "No"}))
    elif event == "big":
        status = post(base + "/response", "x" * (6 * 1024 * 1024 + 101))
    else:
        body = {"pid": os.getpid(), "environment": environment, "count": count, "status": status}
        post(base + "/response", json.dumps(body))
    if event == "end":
        os._exit(0)
