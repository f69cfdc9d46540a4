"""Authorities, and the certificates that they sign, for tests: made by `openssl` in a moment, valid for two days."""

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

OPENSSL = shutil.which("openssl")
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


class Authority:
    """Signs certificates; `ca` is its own, all are files in `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self.ca = self.folder / "ca.pem"
        self._key = self.folder / "ca-key.pem"
        _req(*_KEY, "-noenc", "-keyout", self._key, "-out", self.ca, "-days", "2", "-subj", f"/CN={name}")

    def certificate(self, name: str, usage: str, names: str = "", passphrase: str = "") -> SimpleNamespace:
        """A certificate with its key, for `serverAuth` or `clientAuth`: `cert` and `key`."""
        made = SimpleNamespace(cert=self.folder / f"{name}.pem", key=self.folder / f"{name}-key.pem")
        protection = ("-passout", f"pass:{passphrase}") if passphrase else ("-noenc",)
        extensions = ("-addext", f"extendedKeyUsage={usage}", *(("-addext", f"subjectAltName={names}") if names else ()))
        files = ("-keyout", made.key, "-out", made.cert, "-CA", self.ca, "-CAkey", self._key)
        _req(*_KEY, *protection, *files, "-days", "2", "-subj", f"/CN={name}", *extensions)
        return made


def _req(*arguments: str | Path) -> None:
    done = subprocess.run([str(OPENSSL), "req", "-x509", *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
