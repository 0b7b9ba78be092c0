// Stand-in: the kernels include it and use nothing of it.
