"""A simulated team that plays weeks through the whole product: for the demo and the benchmark."""
