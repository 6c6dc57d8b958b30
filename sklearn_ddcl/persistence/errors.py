"""What goes wrong with a model file."""


class ModelFileError(ValueError):
    """The file is no model file, is damaged, was changed, or is too new to be read."""
