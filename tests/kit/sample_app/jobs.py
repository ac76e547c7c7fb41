"""What Sample app does after the answer has left."""

from headwater.kernel.component import Job

from .models import COUNT_WORDS, CountWords
from .operations import SampleApp

JOBS = (Job(name=COUNT_WORDS, arguments=CountWords, operation=SampleApp.count_words),)
