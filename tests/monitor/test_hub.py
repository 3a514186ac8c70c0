import asyncio

from monitor.hub import MAX_WAITING_FRAMES, Frame, Hub, frame


def test_frame_carries_the_seq_of_a_step_and_of_nothing_else() -> None:
    step = frame({"type": "state_change", "machine": "kitchen", "seq": 7})
    state = frame({"type": "machine", "machine": "kitchen", "seq": 7})

    assert (step.machine, step.seq) == ("kitchen", 7)
    assert (state.machine, state.seq) == ("kitchen", None)


async def test_publish_reaches_those_whom_it_concerns_in_order() -> None:
    hub = Hub()
    mine, other, everybody = (Frame("1", "kitchen"), Frame("2", "cellar"), Frame("3"))

    with hub.join(None) as all_machines, hub.join("kitchen") as one:
        for item in (mine, other, everybody):
            hub.publish(item)
        hub.publish(Frame("4", "kitchen"), closely=True)

        assert await all_machines.take() == [mine, other, everybody]
        assert await one.take() == [mine, everybody, Frame("4", "kitchen")]


async def test_take_waits_for_a_frame() -> None:
    hub = Hub()
    with hub.join(None) as listener:
        asyncio.get_running_loop().call_soon(hub.publish, Frame("late"))

        async with asyncio.timeout(5):
            frames = await listener.take()

    assert frames == [Frame("late")]


async def test_listener_that_takes_too_little_is_told_of_its_loss_and_goes_on() -> None:
    hub = Hub()
    with hub.join(None) as listener:
        for number in range(MAX_WAITING_FRAMES + 1):
            hub.publish(Frame(str(number)))

        assert await listener.take() is None
        hub.publish(Frame("after"))
        assert await listener.take() == [Frame("after")]


def test_hub_forgets_who_has_left() -> None:
    hub = Hub()

    with hub.join("kitchen"), hub.join(None):
        assert (len(hub), hub.watched) == (2, frozenset({"kitchen"}))

    assert (len(hub), hub.watched) == (0, frozenset())
