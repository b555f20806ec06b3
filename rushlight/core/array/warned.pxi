# Warnings, which rushlight/_warned.py has: it looks for the user's line.
from rushlight._warned import FOLDER as package_folder, documented, warn_of_layout, warn_of_number, warn_once, warn_user

rl_set_package_folder(package_folder)      # (provenance looks past what is below)

def note_warning():
    """What warns is not written down: done again, it would not."""
    not_again("it warns")
