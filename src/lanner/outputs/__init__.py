"""Where alerts go: `StdoutOutput`, `FileOutput`, `SeveralOutputs`, and `Output`, which is all that a host knows of them."""

from lanner.outputs.base import Output, OutputClosedError, OutputError
from lanner.outputs.file import FileOutput
from lanner.outputs.several import SeveralOutputs
from lanner.outputs.stdout import StdoutOutput, escape_controls

__all__ = ["FileOutput", "Output", "OutputClosedError", "OutputError", "SeveralOutputs", "StdoutOutput", "escape_controls"]
