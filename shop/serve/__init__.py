"""Running the processes of an installation; `supervisor.run` is what `aidmall run` calls."""
