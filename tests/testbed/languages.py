# SPDX-License-Identifier: GPL-2.0-or-later
"""Languages for the programs of a scenario: compiled locales and our translations."""

import os

import bus
import net
import sandbox

LOCALES = {"en": "C.UTF-8", "de": "de_DE.UTF-8", "he": "he_IL.UTF-8",
           # The language is told apart from the locale, which takes a second to compile.
           "pl": "de_DE.UTF-8"}
# Where a build without --prefix looks for translations.
CATALOGUES = "/usr/local/share/locale"

EMPTY_CATALOGUE = '''msgid ""
msgstr "Language: {language}\\nContent-Type: text/plain; charset=UTF-8\\n"
'''


def compiled_locale(context, name):
    """The folder of locales, with that one in it; compiled once for the build."""
    folder = os.path.join(context.build, "locales")
    target = os.path.join(folder, name)
    if not os.path.isdir(target):
        os.makedirs(folder, exist_ok=True)
        part = f"{target}.{os.urandom(4).hex()}"
        # Its exit code is 1 when there are mere warnings.
        net.run("localedef", "-i", name.partition(".")[0], "-f", "UTF-8", part, ok=False, timeout=120)
        net.check(os.path.exists(f"{part}/LC_CTYPE"), f"localedef has made no {name}")
        try:
            os.rename(part, target)
        except OSError:  # somebody else was quicker
            net.run("rm", "-rf", part)
    return folder


def give_catalogue(language):
    """Our translation, where the programs of the build look for it. Without one, an empty one:
    GLib keeps GTK in English, and from the left, for programs that do not know the language."""
    source = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__)))), "po", f"{language}.po")
    bus.cover("/usr/local/share")
    folder = f"{CATALOGUES}/{language}/LC_MESSAGES"
    os.makedirs(folder)
    if not os.path.exists(source):
        source = f"{folder}/empty.po"
        bus.write(source, EMPTY_CATALOGUE.format(language=language))
    net.run("msgfmt", "-o", f"{folder}/godwit.mo", source)


def install(context, language):
    """For programs of every user, whatever their environment."""
    sandbox.mount(compiled_locale(context, LOCALES[language]), "/usr/lib/locale", None,
                  sandbox.MS_BIND | sandbox.MS_REC)
    give_catalogue(language)
