"""Two machines in an asyncio program: it sends one orders, which tells the other.

.venv/bin/python -m examples.python_api.restaurant soup salad
"""

import asyncio
import sys
from pathlib import Path

from machines.engine import StateMachineEngine

HERE = Path(__file__).parent


async def main(dishes: list[str]) -> None:
    """Have dishes cooked and served, then close."""
    kitchen = StateMachineEngine(machine_name="kitchen")
    waiter = StateMachineEngine(machine_name="waiter")
    await kitchen.load_config(HERE / "kitchen.yaml")
    await waiter.load_config(HERE / "waiter.yaml")

    # The kitchen runs in the background of this block; the waiter in a task, until it has ended.
    async with kitchen, asyncio.TaskGroup() as group:
        shift = group.create_task(waiter.execute_state_machine({"expected": len(dishes)}))
        for dish in dishes:
            reply = await kitchen.process_event("order", {"dish": dish})
            say(f"{dish}: {reply.status}, the kitchen is {reply.state}")
        end = await shift

    say(f"the waiter is {end.state} ({end.status}); served: {', '.join(end.context['served'])}")
    say(f"the kitchen is {kitchen.status} in {kitchen.current_state}, and goes on next time")


def say(line: str) -> None:
    """Print a line; the log of the machines goes to stderr."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or ["soup"]))
