"""What a network has seen, and whether a run may start from it: allowed, allowed with a remark, or refused.

`lessons` says what a network was trained on, `prints` recognises pictures by their content, `verdict` decides.
"""

from transfer.seen.lessons import Lesson
from transfer.seen.prints import Prints
from transfer.seen.verdict import Subject, Verdict, judged

__all__ = ["Lesson", "Prints", "Subject", "Verdict", "judged"]
