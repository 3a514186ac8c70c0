"""The answer to whoever asks whether this server works: no login, no secrets."""

from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from monitor import reading
from monitor.feed import feed


@never_cache
def health(_request: HttpRequest) -> JsonResponse:
    """Status 200 if the database answers, 503 if not; ``feed`` is live, stale or off."""
    try:
        machines = reading.counts_of_machines()
    except Error:
        return _answer("failed", None, 503)
    return _answer("ok", machines, 200)


def _answer(word: str, machines: dict[str, int] | None, code: int) -> JsonResponse:
    answer = {"status": word, "database": word, "machines": machines, "feed": feed.state}
    return JsonResponse(answer, status=code)
