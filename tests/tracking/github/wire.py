"""A server of exact bytes: what a broken network, a proxy or a confused server may say."""

import socket
import threading


class Wire:
    """A server that says exactly these bytes, connection after connection, and keeps what it heard."""

    def __init__(self, *answers):
        self.answers, self.heard = list(answers), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _serve(self):
        for answer in self.answers:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.heard.append(self._request(connection))
                connection.sendall(answer)

    @staticmethod
    def _request(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = [
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-le")
        ]
        while length and len(body) < length[0]:
            body += connection.recv(65536)
        return head.decode(), body


def said(status, body=b"{}", *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
