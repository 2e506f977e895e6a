"""Whether this is a notebook: it is."""


class InteractiveShell:
    @staticmethod
    def initialized():
        return True
