"""Several processes behind one address: `headwater serve --workers N`."""

from headwater.boot.crew.assignment import READY, Assignment
from headwater.boot.crew.crew import Crew
from headwater.boot.crew.metrics import CrewMetrics
from headwater.boot.crew.siblings import Siblings

__all__ = ["READY", "Assignment", "Crew", "CrewMetrics", "Siblings"]
