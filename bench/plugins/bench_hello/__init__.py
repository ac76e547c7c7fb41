"""A plug-in with one endpoint that says hello: nothing but the pipeline is left to measure."""

from dataclasses import dataclass

import msgspec

from headwater.kernel.component import Access, Component, Endpoint, Mode
from headwater.kernel.database import Transactions
from headwater.kernel.principal import Principal


class Greeting(msgspec.Struct, frozen=True):
    """What is said."""

    message: str


@dataclass(frozen=True)
class Hello:
    """Needs nothing of the house."""

    async def say_hello(self, tx: Transactions, principal: Principal, body: None) -> Greeting:
        """The same to every signed-in user."""
        return Greeting("hello")


COMPONENT = Component(
    name="bench_hello",
    package="bench_hello",
    operations=Hello,
    endpoints=(
        Endpoint(
            method="GET",
            path="/hello",
            operation=Hello.say_hello,
            access=Access.USER,
            transaction=Mode.NONE,
            result=Greeting,
        ),
    ),
)
