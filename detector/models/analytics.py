"""Figures by day, counted ahead so that charts over millions of objects are read in milliseconds.

Each table holds two kinds of rows: those of an owner (``owner_id`` set; all that the owner has,
``group_id`` saying whom it is shared with) and those of a group (``owner_id`` empty; all that is
shared with the group, whoever owns it). What a person may see is their own rows plus those of
their groups, less their own rows that are in these groups already.

Nothing here is a foreign key: a row may outlive what it counts until its day is counted again.
"""

from __future__ import annotations

from django.db import models

SUMMED = ("class_name", "model", "sessions", "objects_found", "confidence_sum")


class CountedIn(models.Model):
    """The one row that says that there are figures, and by whose midnight days begin."""

    time_zone = models.CharField(max_length=64)

    class Meta:
        verbose_name = "analytics state"
        verbose_name_plural = "analytics state"

    def __str__(self) -> str:
        return self.time_zone


class ChangedSession(models.Model):
    """A mark: the figures of this owner and group on the day of ``at`` have to be counted again.

    Triggers of the database add one in the transaction of every change to a session that has a
    result. Marks are only ever added and taken away, so that writers never wait for each other.
    """

    owner_id = models.BigIntegerField()
    group_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(help_text="When the session was made.")

    class Meta:
        indexes = [models.Index(fields=["at"], name="changed_session_at")]

    def __str__(self) -> str:
        return f"{self.owner_id} at {self.at}"


class Figures(models.Model):
    """What the two tables share: whose figures, of which day, by which model."""

    day = models.DateField()
    owner_id = models.BigIntegerField(null=True)
    group_id = models.BigIntegerField(null=True)
    model = models.CharField(max_length=64)
    backend = models.CharField(max_length=32)
    precision = models.CharField(max_length=16)
    sessions = models.PositiveIntegerField()
    objects_found = models.PositiveIntegerField()
    confidence_sum = models.BigIntegerField(help_text="In millionths, so that sums are exact.")
    confidence_bins = models.BinaryField(help_text="Twenty counts, int32.")

    class Meta:
        abstract = True


class DailyFigures(Figures):
    """All sessions of a day, an audience and a model."""

    times = models.BinaryField(help_text="Of every session, hundredths of a millisecond, uint32.")

    class Meta:
        verbose_name = "daily figures"
        verbose_name_plural = "daily figures"
        indexes = [
            models.Index(fields=["day"], name="daily_figures_day"),
            models.Index(fields=["owner_id", "day"], name="daily_figures_owner"),
            models.Index(
                fields=["group_id", "day"],
                name="daily_figures_group",
                condition=models.Q(owner_id__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.model}"


class DailyClassFigures(Figures):
    """The objects of one class among them; ``sessions`` are those that have one."""

    class_name = models.CharField(max_length=100)

    class Meta:
        verbose_name = "daily class figures"
        verbose_name_plural = "daily class figures"
        # Sums over many days are read from an index alone.
        indexes = [
            models.Index(fields=["day"], name="daily_class_day"),
            models.Index(fields=["owner_id", "day", "group_id", *SUMMED], name="daily_class_owner"),
            models.Index(fields=["owner_id", "class_name", "day"], name="daily_class_owner_name"),
            models.Index(
                fields=["group_id", "day", *SUMMED],
                name="daily_class_group",
                condition=models.Q(owner_id__isnull=True),
            ),
            models.Index(
                fields=["group_id", "class_name", "day"],
                name="daily_class_group_name",
                condition=models.Q(owner_id__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.class_name}"
