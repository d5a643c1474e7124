"""Pages of lists that may be very long."""

from __future__ import annotations

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property

MOST_COUNTED = 10_000


class LimitedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts to ten thousand and no further: nobody turns more pages than that.

    Counting everything that fits a filter can cost more than reading a page of it.
    """

    @cached_property
    def _counted(self) -> int:
        return int(self.object_list.order_by()[: MOST_COUNTED + 1].count())

    @property
    def count(self) -> int:  # type: ignore[override]
        """How many rows there are, at most ten thousand."""
        return min(self._counted, MOST_COUNTED)

    @property
    def is_limited(self) -> bool:
        """Whether there are more rows than are counted and shown."""
        return self._counted > MOST_COUNTED

    def page(self, number: int | str) -> Page:  # type: ignore[type-arg]
        """The rows of a page: first which they are, then all that is shown of them.

        Rows that are skipped are not joined with anything, so that far pages stay cheap.
        """
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        end = min(start + self.per_page, self.count)
        chosen = list(self.object_list.values_list("pk", flat=True)[start:end])
        return self._get_page(self.object_list.filter(pk__in=chosen), number, self)
