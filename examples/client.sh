#!/bin/sh
# SIGHTLINE_URL=… SIGHTLINE_TOKEN=… sh client.sh street.jpg        (needs curl and jq)
set -eu

# Ask; curl itself waits as long as Retry-After says after 429 and 503. Errors are one sentence.
ask() {
  answer=$(mktemp)
  status=$(curl --silent --show-error --retry 4 --max-time 120 --output "$answer" \
    --write-out '%{http_code}' --header "Authorization: Token $SIGHTLINE_TOKEN" "$@")
  if [ "$status" -ge 400 ]; then
    jq --raw-output '.error | "\(.message) ('"$status"' \(.code))"' "$answer" >&2
    rm -f "$answer"
    return 1
  fi
  cat "$answer"
  rm -f "$answer"
}

for picture in "$@"; do
  found=$(ask --form "image=@$picture" --form confidence=0.4 "$SIGHTLINE_URL/api/detect/")
  printf '%s\n' "$found" |
    jq --raw-output '.objects[] | "\(.class) \(.confidence * 100 | round)% at \(.bbox)"'
done

# `next` is the address of the following page, or null on the last one.
next="$SIGHTLINE_URL/api/sessions/?page_size=2"
while [ "$next" != null ]; do
  page=$(ask "$next")
  printf '%s\n' "$page" |
    jq --raw-output '.results[] | "\(.created_at) \(.name): \(.object_count) objects"'
  next=$(printf '%s\n' "$page" | jq --raw-output .next)
done
