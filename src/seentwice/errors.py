"""The one error that a user can mend."""


class UserError(Exception):
    """Wrong input: the message is one line that names the valid choices or says what to do.

    Commands print the message without a traceback and exit with code 2.
    """

    def _render_traceback_(self) -> list[str]:
        """Be shown by a notebook, without a traceback there, too."""
        return [str(self)]
