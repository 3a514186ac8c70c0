"""What the queue refuses, in words for the person who asked."""


class JobError(Exception):
    """The queue refused: the message says what, which job, and what would be right."""


class StaleClaim(JobError):  # noqa: N818 - says what happened
    """The claim that a token stands for is not the job's current one; somebody else may hold it."""
