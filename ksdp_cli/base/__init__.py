"""What every floor uses: arrays, numbers from text, threads, devices, random numbers, whole files, checkpoints."""
