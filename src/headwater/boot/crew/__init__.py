"""Several processes behind one address: `headwater serve --workers N`."""

from headwater.boot.crew.assignment import READY, Assignment
from headwater.boot.crew.crew import Crew
from headwater.boot.crew.metrics import CrewMetrics

__all__ = ["READY", "Assignment", "Crew", "CrewMetrics"]
