"""What the user sees and does in JupyterLab: views, panels, thumbnails and the page that links them."""
