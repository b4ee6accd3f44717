"""Network cameras on this machine that stall or break off when a test wants them to: HTTP and RTSP."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np
import synthetic

from realtime.media.libav import av, cv2

#: What a camera does behind its last frame: say nothing any more, close the connection, or finish as the protocol asks.
Ending = Literal["stall", "cut", "end"]
#: RTP clock of video, ticks per second, and where it starts (RFC 3551).
RTP_CLOCK, RTP_START = 90_000, 123_456_789
#: Seconds between two looks for the end of the test.
POLL_INTERVAL = 0.05


class CameraServer:
    """Sends `parts` to everybody who connects, one every `interval` seconds, and then does what `ending` says.

    `address` is where it is found. Leaving the ``with`` block ends all connections and threads.
    """

    scheme = "http"

    def __init__(self, parts: Sequence[bytes], ending: Ending, interval: float = 0.0) -> None:
        self._parts, self._ending, self._interval = list(parts), ending, interval
        self._closing = threading.Event()
        #: Set when the last part was sent, and when the client of a stalled camera has closed its connection.
        self.sent, self.left = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"{self.scheme}://127.0.0.1:{self.port}/camera"

    def __enter__(self) -> CameraServer:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        with socket.create_connection(("127.0.0.1", self.port)):
            pass  # wakes `accept`, which a closed socket does not
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            connection, _ = self._listener.accept()
            if not self._closing.is_set():
                self._start(self._serve_one, connection)
            else:
                connection.close()

    def _serve_one(self, connection: socket.socket) -> None:
        with connection:
            try:
                self.serve(connection)
                if self._ending == "stall":
                    connection.settimeout(POLL_INTERVAL)
                    self._wait_for_end(connection)
            except OSError:
                self.left.set()

    def _wait_for_end(self, connection: socket.socket) -> None:
        while not self._closing.is_set():
            try:
                if not connection.recv(65536):
                    self.left.set()
                    return
            except TimeoutError:
                pass

    def serve(self, connection: socket.socket) -> None:
        """Talks to one client."""
        raise NotImplementedError

    def send_parts(self, connection: socket.socket) -> None:
        for part in self._parts:
            connection.sendall(part)
            if self._closing.wait(self._interval):
                return
        self.sent.set()


class HttpCamera(CameraServer):
    """Parts of a file or of a multipart stream, over HTTP. `length` is the number of bytes that it promises."""

    def __init__(
        self, parts: Sequence[bytes], ending: Ending, interval: float = 0.0, kind: str = "video/x-matroska",
        length: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parts, ending, interval)
        promise = "" if length is None else f"Content-Length: {length}\r\n"
        self._head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{promise}Connection: close\r\n\r\n".encode()

    def serve(self, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(self._head)
        self.send_parts(connection)


class RtspCamera(CameraServer):
    """Access units of H.264 over RTSP, interleaved in its TCP connection (RFC 2326, RFC 6184)."""

    scheme = "rtsp"

    def serve(self, connection: socket.socket) -> None:
        request = b""
        while not self._closing.is_set():
            request += connection.recv(65536)
            while b"\r\n\r\n" in request:
                head, _, request = request.partition(b"\r\n\r\n")
                method = head.split(b" ")[0].decode()
                number = next(line for line in head.splitlines() if line.lower().startswith(b"cseq"))
                connection.sendall(self._answer(method, number))
                if method == "PLAY":
                    self.send_parts(connection)
                    return

    def _answer(self, method: str, number: bytes) -> bytes:
        extra, body = "", ""
        if method == "OPTIONS":
            extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            lines = ("v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=camera", "t=0 0", "m=video 0 RTP/AVP 96",
                     f"a=rtpmap:96 H264/{RTP_CLOCK}", "a=fmtp:96 packetization-mode=1", "a=control:track")  # fmt: skip
            body = "\r\n".join((*lines, ""))
            extra = f"Content-Type: application/sdp\r\nContent-Base: {self.address}/\r\n"
        elif method == "SETUP":
            extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
        elif method == "PLAY":
            extra = "Session: 1\r\nRange: npt=0.000-\r\n"
        head = f"RTSP/1.0 200 OK\r\n{number.decode()}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
        return (head + body).encode()


def rtp_parts(units: Sequence[bytes], rate: int = 25, later: int = 0) -> list[bytes]:
    """Each access unit of H.264 (Annex B) as interleaved RTP packets, one per NAL unit; their times begin `later`
    seconds after those of a stream."""
    parts, sequence, start = [], 0, RTP_START + later * RTP_CLOCK
    for index, unit in enumerate(units):
        nals = [nal for nal in unit.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if nal]
        part = b""
        for nal in nals:
            marker = 0x80 if nal is nals[-1] else 0
            head = struct.pack(">BBHII", 0x80, 96 | marker, sequence, start + index * RTP_CLOCK // rate, 1)
            part += b"$\0" + struct.pack(">H", len(head) + len(nal)) + head + nal
            sequence += 1
        parts.append(part)
    return parts


def h264_units(folder: Path, count: int = 50) -> list[bytes]:
    """Access units of a clip of gray frames, every one of them a key frame with its parameter sets."""
    path = folder / "units.h264"
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream(
            "libx264", rate=25, options={"g": "1", "x264-params": "keyint=1:repeat-headers=1"}
        )
        stream.width, stream.height, stream.pix_fmt = synthetic.WIDTH, synthetic.HEIGHT, "yuv420p"
        for index in range(count):
            picture = av.VideoFrame.from_ndarray(
                np.full((synthetic.HEIGHT * 3 // 2, synthetic.WIDTH), synthetic.level(index), np.uint8), "yuv420p"
            )
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def jpeg_parts(
    count: int, boundary: str = "frame", size: tuple[int, int] = (synthetic.HEIGHT, synthetic.WIDTH)
) -> list[bytes]:
    """Frames (height, width) of a multipart stream (``multipart/x-mixed-replace``), gray, as MJPEG cameras send."""
    parts = []
    for index in range(count):
        picture = np.full((*size, 3), synthetic.level(index), np.uint8)
        _, data = cv2.imencode(".jpg", picture)
        head = f"--{boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
        parts.append(head.encode() + data.tobytes() + b"\r\n")
    return parts
