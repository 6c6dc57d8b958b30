"""Self-supervised training: rows are corrupted, and rebuilt among their neighbors."""
