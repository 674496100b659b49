"""pyinit: a container init that starts one program, forwards signals and reaps orphans."""
