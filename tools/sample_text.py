"""Text of our own for sample documents: sentences, receipts and tables from small word lists and a
grammar, in English and German. Nothing is quoted from anywhere. Every function takes a numpy
Generator and is a function of its state alone."""

ENGLISH = {
    "noun": """harbour letter engine garden office lantern village ledger signal teacher winter basket
        corner journey kitchen library machine mountain notebook orchard package question railway
        station question weather window factory carpenter neighbour bridge council market captain
        archive document history pattern message number picture account quarter evening river island
        surface circuit measure product system method result answer summary""".split(),
    "plural": """boxes letters reports windows engines stones rivers lamps papers tickets branches ships
        tables figures samples workers children clouds barrels houses pages records machines wheels
        copies columns signals buyers owners fields""".split(),
    "adjective": """quiet narrow early broken yellow careful distant simple heavy modern hollow gentle
        northern public regular silver sudden useful wooden ancient bright common double empty formal
        honest large minor ordinary patient rapid second steady typical uneven weekly complete""".split(),
    "verb": """carried described followed measured repaired answered opened counted delivered examined
        found ordered painted recorded returned replaced signed studied watched borrowed collected
        discussed explained gathered improved joined""".split(),
    "adverb": """slowly again carefully often finally nearly perhaps quietly rarely together usually
        almost clearly directly exactly""".split(),
    "place": """behind the mill|near the old quay|at the northern gate|across the valley|under the bridge
        |in the reading room|beside the main road|above the workshop|on the second floor
        |outside the town hall""".replace("\n", "").split("|"),
    "time": """before noon|in early spring|after the long meeting|on Thursday|every other week
        |during the storm|at a quarter past nine|since last autumn|by the end of June
        |for almost an hour""".replace("\n", "").split("|"),
    "name": """Mrs. Alder|Dr. Quill|Mr. Finch|Captain Rowe|Miss Vane|Professor Hale|J. K. Moss
        |Anna Field|the Baker family|Oakley & Sons""".replace("\n", "").split("|"),
    "patterns": [
        "The {adjective} {noun} {verb} the {plural} {place}.",
        "{time}, {name} {verb} a {noun} and the {adjective} {plural}.",
        "{name} {adverb} {verb} {number} {plural} {place}, but the {noun} was {adjective}.",
        "It was {adverb} said that every {noun} {place} had {number} {plural}.",
        "\"We {verb} the {noun},\" said {name}, \"and {adverb} the {plural} as well.\"",
        "Between {year} and {year2} the {plural} were {verb} by {name} ({number} in all).",
        "A {adjective} {noun}, once {verb}, costs {price} {time}; the {adjective} one costs {percent}% more.",
        "Why should the {noun} be {adjective} when the {plural} are not?",
        "See No. {number}: the {noun}, the {noun2} and the {adjective} {plural} were {verb} {time}.",
    ],
    "price": "${0}.{1:02d}",
}

GERMAN = {
    "noun": """Brücke Straße Küche Lampe Werkstatt Zeitung Mühle Fähre Schule Gärtnerei Rechnung Maschine
        Bücherei Größe Übung Brücke Anlage Prüfung Höhe Wäsche Truhe Uhr""".split(),
    "plural": """Häuser Briefe Bücher Schlüssel Äpfel Gläser Wege Züge Blätter Stühle Fenster Körbe
        Flüsse Berichte Öfen Tücher""".split(),
    "adjective": """alte kleine schöne ruhige große dunkle grüne weiße frühe späte süße nützliche
        übliche kühle heiße breite""".split(),
    "verb": """gefunden gezählt geöffnet geprüft gemessen verkauft gewählt geschätzt gebaut geführt
        geschlossen gelöst""".split(),
    "adverb": "langsam oft wieder später natürlich endlich früher selten größtenteils".split(),
    "place": """hinter der Mühle|neben dem Rathaus|über dem Fluß|am Bahnhof|auf der Straße
        |in der Küche|vor dem Gebäude|unter der Brücke""".replace("\n", "").split("|"),
    "time": """am Montag|im Frühjahr|seit Jänner|gegen Mittag|jede zweite Woche|während des Gewitters
        |um Viertel nach neun|im März""".replace("\n", "").split("|"),
    "name": """Frau Müller|Herr Weiß|Dr. Köhler|Familie Böhm|Jörg Fäßler|Fräulein Grün
        """.replace("\n", "").split("|"),
    "patterns": [
        "Die {adjective} {noun} wurde {time} {place} {verb}.",
        "{name} hat {adverb} {number} {plural} {place} {verb}.",
        "Für die {noun} werden {price} verlangt, für die {adjective} {noun2} {percent} % mehr.",
        "„Die {plural} sind schön“, sagte {name}, „aber {adverb} zu groß.“",
        "Zwischen {year} und {year2} waren {number} {plural} {place}.",
        "Warum ist die {noun} so {adverb} {verb} worden?",
    ],
    "price": "{0},{1:02d} €",
}

RECEIPT_ITEMS = """APPLE JUICE 1L|BROWN BREAD|COFFEE BEANS 500G|DISH SOAP|EGGS LARGE 10|FLOUR 2KG|GREEN TEA
    |HAND TOWEL|JAM STRAWBERRY|KITCHEN ROLL|LEMON 3PC|MILK FRESH|NOODLES|ONIONS 1KG|PAPER A4 80G
    |RICE 5KG|SUGAR|TOMATOES|VINEGAR|WATER 6X1.5L|YOGHURT|BATTERY AA 4|LED BULB 9W|OLIVE OIL
    """.replace("\n", "").split("|")


def _pick(rng, words):
    return words[int(rng.integers(len(words)))].strip()


def sentence(rng, language=ENGLISH):
    """One sentence."""
    year = int(rng.integers(1871, 1999))
    text = _pick(rng, language["patterns"]).format(
        number=int(rng.integers(2, 480)), year=year, year2=year + int(rng.integers(1, 30)),
        percent=int(rng.integers(2, 60)), noun2=_pick(rng, language["noun"]),
        price=language["price"].format(int(rng.integers(1, 900)), int(rng.integers(100))),
        **{key: _pick(rng, language[key])
           for key in ("noun", "plural", "adjective", "verb", "adverb", "place", "time", "name")})
    return text[0].upper() + text[1:]


def paragraph(rng, n_sentences, language=ENGLISH):
    """Several sentences, joined by spaces."""
    return " ".join(sentence(rng, language) for _ in range(n_sentences))


def receipt(rng, n_columns=38):
    """Lines of a till receipt set in columns of a fixed-width font."""
    shop = f"{_pick(rng, ENGLISH['noun'])} {_pick(rng, ENGLISH['noun'])} MARKET".upper()
    date = f"{int(rng.integers(1, 29)):02d}/{int(rng.integers(1, 13)):02d}/20{int(rng.integers(10, 26))}"
    lines = [shop.center(n_columns).rstrip(),
             f"{int(rng.integers(1, 99))} MILL ROAD".center(n_columns).rstrip(),
             f"TEL: 0{int(rng.integers(10, 99))}-{int(rng.integers(1000000, 9999999))}".center(
                 n_columns).rstrip(), "",
             f"RECEIPT NO. {int(rng.integers(10000, 99999))}",
             f"DATE: {date}  {int(rng.integers(8, 21)):02d}:{int(rng.integers(60)):02d}", ""]
    total = 0
    for _ in range(int(rng.integers(7, 13))):
        cents = int(rng.integers(95, 4990))
        n = int(rng.integers(1, 4))
        total += n * cents
        amount = f"{n * cents / 100:.2f}"
        lines.append(f"{n} {_pick(rng, RECEIPT_ITEMS)}".ljust(n_columns - len(amount)) + amount)
    paid = -(-total // 1000) * 1000
    lines.append("")
    for label, value in (("TOTAL", total), ("CASH", paid), ("CHANGE", paid - total)):
        amount = f"{value / 100:.2f}"
        lines.append(label.ljust(n_columns - len(amount)) + amount)
    return lines + ["", "THANK YOU, COME AGAIN".center(n_columns).rstrip()]
