"""What a language brings to search: its stemmer, the words that say nothing, and those that refuse or limit a price."""

from dataclasses import dataclass, field

ENGLISH = "english"

_STEMMERS = """
arabic armenian basque catalan danish dutch english finnish french german greek hindi hungarian indonesian irish italian
lithuanian nepali norwegian portuguese romanian russian serbian spanish swedish tamil turkish yiddish
"""
STEMMERS = frozenset(_STEMMERS.split())
"""The Snowball stemmers that PostgreSQL has, by the names it gives them."""


@dataclass(frozen=True, slots=True)
class Language:
    """Words as shoppers type them, without accents. Empty: there, nothing of the kind is understood.

    without: what follows is not wanted. below, limit, above, between, and_, to, around: of prices; after a `limit` the
    currency must be named, since "air max 90" is a shoe. made_for: in names, with accents too, what follows is what the
    product is made for.
    """

    name: str
    stop_words: frozenset[str] = frozenset()
    without: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    denials: frozenset[str] = frozenset()
    ends: frozenset[str] = frozenset()
    below: tuple[str, ...] = ()
    limit: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    and_: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    around: tuple[str, ...] = ()
    colours: frozenset[str] = field(default=frozenset())
    sizes: tuple[str, ...] = ()
    ages: frozenset[str] = field(default=frozenset())
    made_for: tuple[str, ...] = ()


def language_of(name: str) -> Language:
    """Raises KeyError for one that has no stemmer."""
    if name not in STEMMERS:
        raise KeyError(name)
    return _KNOWN.get(name) or Language(name)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _phrases(words: str) -> tuple[str, ...]:
    """Longest first: "no more than" is not "no"."""
    return tuple(sorted((phrase.strip() for phrase in words.split(",")), key=lambda phrase: -len(phrase)))


_KNOWN = {
    language.name: language
    for language in (
        Language(
            name=ENGLISH,
            stop_words=_set(
                """
                a an and are as at be by for from has have in into is it its of on or s t that the their then there
                these they this to was were which will with you your
                """
            ),
            without=_phrases("without, w/o, but not, except"),
            no=_phrases("no"),
            denials=_set("no without not non zero never free"),
            ends=_set("with for and or in on but from that to by under over below above between"),
            below=_phrases("under, below, less than, cheaper than, for less than, no more than, not more than"),
            limit=_phrases("up to, at most, max, maximum, within, not over"),
            above=_phrases("over, above, more than, at least, from, min, minimum, starting at"),
            between=_phrases("between, from"),
            and_=_phrases("and, to"),
            to=_phrases("to"),
            around=_phrases("around, about, approximately, roughly"),
            colours=_set(
                """
                amber aqua beige black blue bronze brown burgundy charcoal coral cream cyan gold golden gray green grey
                indigo ivory khaki lavender lilac magenta maroon mint multicolor navy olive orange peach pink purple red
                rose silver tan teal turquoise violet white yellow
                """
            ),
            sizes=_phrases("size"),
            ages=_set(
                "adult adults age aged ages babies baby boy boys child children girl girls kid kids man men month "
                "months old people person senior seniors teen teens toddler toddlers woman women year years"
            ),
            made_for=_phrases("for, compatible with, fits, works with"),
        ),
        Language(
            name="german",
            stop_words=_set(
                """
                als am an auf aus bei beim bin bist da das dass dem den der des die dies diese du durch ein eine einem
                einen einer eines er es fur hat ich ihr im in ist ja man mein mit nach oder sein sich sie sind so um und
                uns unser vom von vor was wer wie wir zu zum zur
                """
            ),
            without=_phrases("ohne, aber nicht, ausser"),
            no=_phrases("kein, keine, keinen"),
            denials=_set("ohne kein keine keinen nicht nie frei"),
            ends=_set("mit fur und oder in im auf aber von unter uber zwischen ab bis"),
            below=_phrases("unter, weniger als, gunstiger als, billiger als"),
            limit=_phrases("bis, bis zu, hochstens, maximal, max"),
            above=_phrases("uber, ab, mehr als, mindestens"),
            between=_phrases("zwischen, von"),
            and_=_phrases("und, bis"),
            to=_phrases("bis"),
            around=_phrases("um, etwa, ungefahr, circa, ca"),
            colours=_set(
                """
                beige blau braun bronze gelb gold golden grau grun lila orange rosa rot schwarz silber silbern turkis
                violett weiss
                """
            ),
            sizes=_phrases("grosse, gr"),
            ages=_set("alter baby babys damen frauen herren jahre jahren jungen kinder madchen manner monate"),
            made_for=_phrases("für, fur, kompatibel mit, passend zu"),
        ),
        Language(
            name="french",
            stop_words=_set(
                """
                a au aux avec ce ces dans de des du elle en est et il je la le les leur lui ma mais me mes mon ne nos
                notre nous on ou par pas pour qu que qui sa se ses son sur ta te tes toi ton tu un une vos votre vous
                """
            ),
            without=_phrases("sans, mais pas, sauf"),
            denials=_set("sans pas non jamais"),
            ends=_set("avec pour et ou en sur mais de moins plus entre"),
            below=_phrases("moins de, moins cher que"),
            limit=_phrases("jusqu'a, au maximum, max"),
            above=_phrases("plus de, a partir de, au moins"),
            between=_phrases("entre, de"),
            and_=_phrases("et, a"),
            to=_phrases("a"),
            around=_phrases("environ, autour de"),
            colours=_set(
                "argent beige blanc blanche bleu bleue bronze brun dore gris grise jaune marron noir noire or orange "
                "rose rouge turquoise vert verte violet"
            ),
            sizes=_phrases("taille, pointure"),
            ages=_set("ans bebe enfant enfants femme femmes fille filles garcon garcons homme hommes mois"),
            made_for=_phrases("pour, compatible avec"),
        ),
        Language(
            name="spanish",
            stop_words=_set(
                """
                a al como con de del el ella en es esta este la las le les lo los mas me mi mis nos o para pero por que
                se si su sus te tu un una unas uno unos y
                """
            ),
            without=_phrases("sin, pero no, excepto"),
            denials=_set("sin no nunca libre"),
            ends=_set("con para y o en pero de menos mas entre hasta desde"),
            below=_phrases("menos de, por debajo de"),
            limit=_phrases("hasta, como maximo, max"),
            above=_phrases("mas de, desde, al menos"),
            between=_phrases("entre, de"),
            and_=_phrases("y, a"),
            to=_phrases("a"),
            around=_phrases("alrededor de, unos, unas"),
            colours=_set(
                "amarillo azul beige blanca blanco dorado gris lila marron morado naranja negra negro plata plateado "
                "roja rojo rosa turquesa verde violeta"
            ),
            sizes=_phrases("talla"),
            ages=_set("anos bebe chica chicas chico chicos hombre hombres meses mujer mujeres nina ninas nino ninos"),
            made_for=_phrases("para, compatible con"),
        ),
    )
}
