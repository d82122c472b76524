"""AgentNetBench: recorded desktop tasks, scored softly against right actions and alternatives."""
