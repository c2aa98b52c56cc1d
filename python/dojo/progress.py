"""One line on a terminal for work that takes longer than two seconds."""

import sys
import threading
import time

PATIENCE_SECONDS = 2


class Progress:
    """with Progress("compiling"): ... shows the name and the seconds gone by, and wipes them at the end."""

    def __init__(self, name, stream=None):
        self.name = name
        self.stream = stream or sys.stderr
        self.finished = threading.Event()
        self.thread = None

    def __enter__(self):
        if self.stream.isatty():
            self.thread = threading.Thread(target=self._show, daemon=True)
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.finished.set()
        if self.thread:
            self.thread.join()

    def _show(self):
        start = time.monotonic()
        shown = False
        while not self.finished.wait(0.2 if shown else PATIENCE_SECONDS):
            self.stream.write(f"\r{self.name}: {time.monotonic() - start:.0f} s")
            self.stream.flush()
            shown = True
        if shown:
            self.stream.write("\r\033[K")
            self.stream.flush()
