"""Stands in for MiniStack: answers its health page, or does what its first argument says."""

import http.server
import os
import subprocess
import sys
import time

deed = sys.argv[1]
print("fake emulator:", deed, flush=True)
if deed == "die":
    sys.exit("fatal: the fake has no disk")
if deed == "hang":
    time.sleep(600)
if deed == "child":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(sys.argv[2], "w") as file:
        file.write(str(child.pid))
if deed == "environment":
    with open(sys.argv[2], "w") as file:
        # Names that start with two underscores are set by macOS itself.
        file.write("\n".join(sorted(name for name in os.environ if not name.startswith("__"))))


class Health(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200 if self.path == "/_ministack/health" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()


address = (os.environ["BIND_HOST"], int(os.environ["GATEWAY_PORT"]))
http.server.ThreadingHTTPServer(address, Health).serve_forever()
