"""Benchmarks: ratios against a peer, measured interleaved in one run.

``python -m benchmarks`` runs all of them and writes ``benchmarks/results.md``.
"""
