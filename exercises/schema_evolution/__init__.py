"""Exercise: judge changes of a schema by what readers of the past and of the future read, and repair one."""
