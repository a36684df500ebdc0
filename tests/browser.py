"""A headless browser that a test steers: it presses keys, scrolls and looks.

It is steered over the DevTools protocol through a pipe, which needs no port and no package.
"""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
KEYS = {"ArrowRight": 39, "ArrowLeft": 37, "Escape": 27}


def find_browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Tab:
    """One page; `events` are those that the browser told while commands ran."""

    def __init__(self, requests: int, answers: BinaryIO) -> None:
        self.events: list[dict[str, Any]] = []
        self._requests = requests
        self._answers = answers
        self._number = 0
        self._rest = b""
        self._session: str | None = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._requests, data) :]
        while (answer := self._read()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def open(
        self, page: Path | str, size_px: tuple[int, int] = (1280, 900), dark: bool = False
    ) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send(
            "Emulation.setDeviceMetricsOverride",
            **{"width": size_px[0], "height": size_px[1], "deviceScaleFactor": 1, "mobile": False},
        )
        self.events.clear()
        self.send("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())
        self.settle()

    def run(self, script: str) -> Any:
        """Return the value of an expression, awaited."""
        done = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def settle(self) -> None:
        """Let the page be laid out, its observers run, and be painted."""
        frame = "new Promise((go) => requestAnimationFrame(() => setTimeout(go)))"
        for _ in range(3):
            self.run(frame)

    def press(self, *keys: str) -> None:
        for key in keys:
            code = {"windowsVirtualKeyCode": KEYS[key]} if key in KEYS else {"text": key}
            self.send("Input.dispatchKeyEvent", type="keyDown", key=key, **code)
            self.send("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.settle()

    def choose_file(self, selector: str, file: Path) -> None:
        """Give a field of the page a file, as its user would."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        field = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", files=[str(file)], nodeId=field)

    def photograph(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def requests(self) -> list[str]:
        """Addresses that the page asked for, but pictures it holds itself."""
        asked = [e for e in self.events if e["method"] == "Network.requestWillBeSent"]
        addresses = [event["params"]["request"]["url"] for event in asked]
        return [address for address in addresses if not address.startswith("data:image/")]

    def complaints(self) -> list[str]:
        """What the console says: errors, warnings, texts that scripts wrote."""
        told = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        told += ("Page.javascriptDialogOpening",)
        return [json.dumps(event["params"]) for event in self.events if event["method"] in told]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = self._answers.read(1 << 20)
            assert piece, "the browser ended"
            self._rest += piece
        line, self._rest = self._rest.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def start_browser(browser: str, profile: Path) -> Iterator[Tab]:
    to_browser, requests = os.pipe()
    answers, from_browser = os.pipe()
    # The browser reads file 3 and writes file 4.
    command = 'exec "$@" 3<&"$READ" 4>&"$WRITE"'
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    options += ["--remote-debugging-pipe", f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        ["bash", "-c", command, "bash", browser, *options],
        env={**os.environ, "READ": str(to_browser), "WRITE": str(from_browser)},
        pass_fds=(to_browser, from_browser),
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        with os.fdopen(answers, "rb", buffering=0) as stream:
            yield Tab(requests, stream)
    finally:
        os.close(requests)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
