"""What the system can be asked, by noun."""

from headwater.platform.system.operations.jobs import Jobs
from headwater.platform.system.operations.system import System

__all__ = ["Jobs", "System"]
