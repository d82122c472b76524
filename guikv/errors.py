"""Typed errors of the model side. Each message says what is wrong and what to do about it."""


class GuikvError(Exception):
    """Base of everything that `guikv` raises on bad input."""


class ModelError(GuikvError):
    """A checkpoint cannot be used: missing, damaged, or of an architecture without an adapter."""


class PolicyError(GuikvError):
    """A compression method or one of its options does not exist or makes no sense."""


class BudgetError(GuikvError):
    """A budget that is not a percentage, a number of tokens or a number of bytes, or is out of range."""


class ImageError(GuikvError):
    """A screenshot that no model can read: too small, too large, too narrow, or not an image."""


class SessionError(GuikvError):
    """A session is asked for something its cache cannot give."""


class ContextError(SessionError):
    """A conversation is longer than the positions that the model was made for."""


class DeviceMemoryError(GuikvError):
    """A device has not enough memory: for a model before it is loaded, or in the middle of a step."""


class FileError(GuikvError, OSError):
    """Where a file or folder is to be written lies something that is none: a link, a pipe."""

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"
