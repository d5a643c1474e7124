"""The gallery of styles, the page of each, and the list of what was painted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.accounts.groups import groups_to_share_with
from common.errors import ServiceError
from common.pages import as_service_error
from common.uploads.errors import UploadRejected
from styletransfer.errors import InvalidError, gone
from styletransfer.forms import (
    ONLY,
    ORDERS,
    NewStyleForm,
    StyleForm,
    errors_by_field,
    read_result_filters,
    read_style_filters,
    read_uuid,
)
from styletransfer.models import Restyling, Style
from styletransfer.page_access import by_script, makers_page, styles_page
from styletransfer.selectors import (
    get_restyling,
    get_style,
    list_restylings,
    list_styles,
    style_examples,
)
from styletransfer.services.deleting import delete_restylings
from styletransfer.services.queueing import queue_place
from styletransfer.services.styles import add_style, delete_style, share_style, update_style
from styletransfer.style_pictures import serve_style_picture
from vision.errors import VisionError

PAGE_SIZE = 24
EXAMPLES = 8


@require_safe
@styles_page
def gallery(request: HttpRequest) -> HttpResponse:
    """All styles that the user may paint in; htmx gets the list alone."""
    filters = read_style_filters(request.GET)
    rows = list_styles(request.user, query=filters.q, only=filters.only, order=filters.order)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "filters": filters, "only": ONLY, "orders": ORDERS}
    template = "styles/_gallery_list.html" if is_part(request) else "styles/gallery.html"
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@makers_page
def new(request: HttpRequest) -> HttpResponse:
    """Add a picture as a style."""
    if request.method != "POST":
        return render(request, "styles/new.html", {"form": NewStyleForm()})
    form = NewStyleForm(request.POST, request.FILES)
    try:
        added = _add(request, form)
    except ServiceError as error:
        if by_script(request):
            raise
        form.take(error)
        return render(request, "styles/new.html", {"form": form}, status=error.status)
    messages.success(request, f"“{added.name}” is in the gallery. Only you can see it.")
    address = reverse("styles:style", args=[added.pk])
    if by_script(request):
        answer = {"id": str(added.pk), "name": added.name, "url": address}
        return JsonResponse(answer, status=201)
    return redirect(address)


def _add(request: HttpRequest, form: NewStyleForm) -> Style:
    if not form.is_valid():
        raise InvalidError(errors_by_field(form))
    picture = form.cleaned_data["picture"]
    try:
        return add_style(
            owner=request.user,
            data=picture.read(),
            file_name=picture.name,
            name=form.cleaned_data["name"],
            description=form.cleaned_data["description"],
        )
    except (ServiceError, UploadRejected, VisionError) as error:
        refused = as_service_error(error)
        # What is about no field is about the picture.
        refused.fields = refused.fields or {"picture": refused.message}
        raise refused from error


@require_safe
@styles_page
def style(request: HttpRequest, style_id: UUID) -> HttpResponse:
    """One style, and what was painted in it."""
    return _show(request, get_style(request.user, style_id))


def _show(request: HttpRequest, shown: Style, form: StyleForm | None = None) -> HttpResponse:
    initial = {"name": shown.name, "description": shown.description}
    context = {
        "style": shown,
        "examples": style_examples(request.user, shown)[:EXAMPLES],
        "form": form or StyleForm(initial=initial),
        "group_choices": groups_to_share_with(request.user),
    }
    return render(request, "styles/style.html", context, status=400 if form else 200)


@require_safe
@styles_page
def picture(request: HttpRequest, style_id: UUID) -> HttpResponseBase:
    """The picture to paint like, or of a network what it makes of the example."""
    return serve_style_picture(request, get_style(request.user, style_id), small=False)


@require_safe
@styles_page
def thumbnail(request: HttpRequest, style_id: UUID) -> HttpResponseBase:
    """The same in small."""
    return serve_style_picture(request, get_style(request.user, style_id), small=True)


@require_POST
@styles_page
def change(request: HttpRequest, style_id: UUID) -> HttpResponse:
    """Rename or describe a style; what is wrong is said beside the field."""
    changed = get_style(request.user, style_id, "change")
    form = StyleForm(request.POST)
    try:
        if form.is_valid():
            changed = update_style(style=changed, **form.cleaned_data)
    except InvalidError as error:
        form.take(error)
    if form.errors:
        if by_script(request):
            raise InvalidError(errors_by_field(form))
        return _show(request, changed, form)
    messages.success(request, "The style is changed.")
    return redirect("styles:style", changed.pk)


@require_POST
@styles_page
def share(request: HttpRequest, style_id: UUID) -> HttpResponse:
    """Say who may use a style: its owner alone, a group, or everybody here."""
    shared = share_style(
        style=get_style(request.user, style_id, "share"),
        user=request.user,
        audience=request.POST.get("audience", ""),
    )
    if shared.is_public:
        message = "Everybody here can use it now."
    elif shared.shared_with is not None:
        message = f"Shared with {shared.shared_with.name}."
    else:
        message = "Only you can see it now."
    messages.success(request, message)
    return redirect("styles:style", shared.pk)


@require_POST
@styles_page
def delete(request: HttpRequest, style_id: UUID) -> HttpResponse:
    """Delete a style; what was painted in it stays."""
    doomed = get_style(request.user, style_id, "delete")
    if not delete_style(style=doomed, user=request.user):
        raise gone("style")
    messages.success(request, f"“{doomed.name}” is deleted.")
    return redirect("styles:gallery")


@require_safe
@styles_page
def results(request: HttpRequest) -> HttpResponse:
    """What was painted, newest first; htmx gets the list alone."""
    filters = read_result_filters(request.GET)
    of_style = get_style(request.user, filters.style_id) if filters.style_id else None
    rows = list_restylings(
        request.user,
        query=filters.q,
        status=filters.status,
        style=of_style,
        kind=filters.kind,
    )
    context: dict[str, Any] = {
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "filters": filters,
        "of_style": of_style,
        "statuses": Restyling.Status.choices,
        "kinds": Restyling.Kind.choices,
    }
    template = "styles/_results_list.html" if is_part(request) else "styles/results.html"
    return render(request, template, context)


@require_safe
@styles_page
def card(request: HttpRequest, restyling_id: UUID) -> HttpResponse:
    """One card of that list, asked for when its job has gone on."""
    shown = get_restyling(request.user, restyling_id)
    context = {"restyling": shown, "selectable": True, "place": queue_place(shown)}
    return render(request, "styles/_restyling_card.html", context)


@require_POST
@styles_page
def delete_many(request: HttpRequest) -> HttpResponse:
    """Delete the selected results, as far as they are the user's."""
    wanted = {found for text in request.POST.getlist("id") if (found := read_uuid(text))}
    count = delete_restylings(user=request.user, ids=wanted)
    messages.success(request, f"{count} result{'' if count == 1 else 's'} deleted.")
    return redirect("styles:results")


def is_part(request: HttpRequest) -> bool:
    """Tell whether htmx asks for a part of the page."""
    asks = request.headers.get("HX-Request")
    return bool(asks and not request.headers.get("HX-History-Restore-Request"))
