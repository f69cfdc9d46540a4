"""Servers that read and discard, as cheap as possible in Python: `receiver.py syslog PATH | tcp | http`. Prints its address first."""

import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def main() -> None:
    kind = sys.argv[1]
    if kind == "syslog":
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
            daemon.bind(sys.argv[2])
            print(f"unix://{sys.argv[2]}", flush=True)
            while True:
                daemon.recv(65536)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scheme = "tcp" if kind == "tcp" else "http"
        print(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                (_forget if kind == "tcp" else _answer)(connection)


def _forget(connection: socket.socket) -> None:
    while connection.recv(1 << 20):
        pass


def _answer(connection: socket.socket) -> None:
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            more = connection.recv(1 << 20)
            if not more:
                return
            data += more
        head, _, data = data.partition(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(data) < size:
            data += connection.recv(1 << 20)
        data = data[size:]
        connection.sendall(ANSWER)


if __name__ == "__main__":
    main()
