"""The base that the apps share: permissions, uploads, jobs, broadcast, media, inference, API."""
