"""The study of policies: success against KV bytes, on stored episodes of the playground."""
