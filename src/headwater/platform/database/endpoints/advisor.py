"""Where the advisor is asked."""

from headwater.kernel.component import Access, Endpoint, Mode
from headwater.platform.database.models import AdviceReport, AskedAdvice
from headwater.platform.database.operations import Advisor

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/database/advisor",
        operation=Advisor.advise,
        access=Access.ADMIN,
        transaction=Mode.READING,
        body=AskedAdvice,
        result=AdviceReport,
    ),
)
