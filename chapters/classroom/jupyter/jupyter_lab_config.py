# Read by `python -m classroom lab` only, through JUPYTER_CONFIG_PATH.
c = get_config()  # noqa: F821 (given by Jupyter)
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
