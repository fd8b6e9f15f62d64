"""Prompts: messages and templates, output schemas, backends, tasks judged by facts, and their evaluation."""
