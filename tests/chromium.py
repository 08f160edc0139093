"""Headless Chromium by its DevTools protocol: opens a page, points, clicks, takes pictures."""

import base64
import itertools
import json
import subprocess
import time
import urllib.request
from pathlib import Path

import websocket

# Without a network, a screen and a GPU; the WebGL is software. Root needs `--no-sandbox`.
_OPTIONS = (
    *("--headless", "--no-sandbox", "--no-first-run", "--disable-quic", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
    *("--disable-dev-shm-usage", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"),
    *("--remote-debugging-port=0", "--remote-allow-origins=*"),
)
_SECONDS = 120


class Chromium:
    """A browser with one page. `messages` are the events that it has sent.

    Args:
        program: Path of Chromium.
        folder: Empty folder for its profile.
    """

    def __init__(self, program: str, folder: Path):
        self.process = subprocess.Popen(
            [program, *_OPTIONS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port_file = folder / "DevToolsActivePort"
        self._wait(lambda: port_file.exists() and port_file.read_text().count("\n"))
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            page = next(target for target in json.load(answer) if target["type"] == "page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=_SECONDS)
        self.numbers = itertools.count()
        self.messages = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(10)

    def send(self, method, **arguments):
        """Call a method of the protocol and return its result."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": arguments}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self.messages.append(message)

    def evaluate(self, expression):
        """Return the value of an expression of JavaScript, also of a promise."""
        result = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def open(self, path: Path, width=1280, height=900, is_phone=False):
        """Open a file in a window of a size, and wait until it is drawn."""
        self.messages.clear()
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if is_phone else 1,
            mobile=is_phone,
        )
        self.send("Emulation.setTouchEmulationEnabled", enabled=is_phone)
        self.send("Page.navigate", url=path.as_uri())
        self.wait_for("document.readyState === 'complete'")

    def wait_for(self, expression):
        self._wait(lambda: self.evaluate(f"Boolean({expression})"))

    def box(self, selector):
        """Return left, top, width and height of an element, scrolled into the window."""
        return self.evaluate(
            f"(() => {{ const element = document.querySelector({json.dumps(selector)});"
            "element.scrollIntoView({behavior: 'instant', block: 'center'});"
            "const {x, y, width, height} = element.getBoundingClientRect();"
            "return [x, y, width, height]; })()"
        )

    def point_at(self, x, y):
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x, y, count=1):
        self.point_at(x, y)
        for clicks in range(1, count + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.send(
                    "Input.dispatchMouseEvent",
                    type=kind,
                    x=x,
                    y=y,
                    button="left",
                    clickCount=clicks,
                )

    def screenshot(self, path: Path, whole=False):
        """Write a PNG of what is seen, or of the whole page."""
        result = self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(result["data"]))

    def print(self, path: Path):
        """Write the PDF that the page prints as."""
        result = self.send("Page.printToPDF", preferCSSPageSize=True)
        path.write_bytes(base64.b64decode(result["data"]))

    def complaints(self):
        """Return errors and warnings of the console, and what was asked of a network."""
        found = []
        for message in self.messages:
            method, facts = message["method"], message["params"]
            if method == "Runtime.exceptionThrown":
                found.append(facts["exceptionDetails"])
            elif method == "Runtime.consoleAPICalled" and facts["type"] == "error":
                found.append(facts["args"])
            elif method == "Log.entryAdded" and facts["entry"]["level"] == "error":
                found.append(facts["entry"])
            elif method == "Network.requestWillBeSent":
                url = facts["request"]["url"]
                if not url.startswith(("file:", "data:", "blob:")):
                    found.append(url)
        return found

    @staticmethod
    def _wait(is_done):
        end = time.monotonic() + _SECONDS
        while not is_done():
            assert time.monotonic() < end, "Chromium did not get there in time"
            time.sleep(0.05)
