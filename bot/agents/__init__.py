"""Agents: the universal agent, the router that chooses one, the tools they may use."""
