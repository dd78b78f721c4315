"""What columns of addresses are called: the parts of each, and whose it is."""

from collections.abc import Iterator, Mapping

# The parts of an address, and whose address it is by what goes before or behind a part's name.
PARTS: Mapping[str, str] = {
    "street": """
        street streetaddress address address1 address12 addressline1 line1 street1 streetaddress1
        streetaddressline1 str strasse strassehausnr adresse rue voie direccion calle domicilio indirizzo
        via endereco morada logradouro rua adres straat anschrift strassenr strasseundhausnummer
        strasseundnr calleynumero callenumero direccionpostal direccion1 enderecopostal endereco1 ruaenumero
        viaenumero indirizzopostale indirizzo1 straatnaam straatenhuisnummer straatennummer adresregel1
        adres1 adressepostale adresse1 rueetnumero ulica ulice gatuadress gata gade utca
    """,
    "street_2": """
        street2 address2 addressline2 line2 streetaddress2 streetaddressline2 extendedaddress adresszusatz
        adresse2 complementadresse complemento direccion2 endereco2 indirizzo2 adresregel2 adres2
        huisnummertoevoeging toevoeging complementoadresse
    """,
    "house_number": """
        housenumber streetnumber hausnummer hausnr huisnummer numerocivico civico numerodaporta numerodacasa
        numeroexterior numerorue huisnr
    """,
    "postal_code": """
        postalcode postcode zip zipcode zippostalcode plz postleitzahl codepostal codigopostal cap cep
        cpostal codpostal cp codicepostale codicediavviamentopostale kodpocztowy psc postnummer postakodu
        iranyitoszam
    """,
    "city": """
        city town locality suburb ort stadt wohnort ville ciudad poblacion citta cidade plaats localidad
        municipio localidade concelho comune localita plaatsnaam woonplaats stad vestigingsplaats localite
        miasto miejscowosc mesto postort sehir varos
    """,
    "state": """
        state province region stateprovince stateregion statecode provincecode administrativearea county
        bundesland bundeslandkanton kanton departement provincia estado provincie comunidadautonoma uf
        distrito prov regione
        wojewodztwo
    """,
    "country": "country countryid countrycode countryregion land landregion pays pais paese nazione paises",
}
ADDRESSES: Mapping[str, str] = {
    "": "mailing defaultaddress address address1 customer contact person other cardaddress",
    "home_": "home private privat particular prive thuis domicile",
    "work_": """
        business work office geschaftlich dienst trabajo trabalho lavoro werk zakelijk bureau travail
    """,
    "billing_": """
        billing bill billingaddress rechnung rechnungs rechnungsadresse facturation facturacion
        defacturacion faturacao defaturacao faturamento defaturamento fatturazione difatturazione factuur
        facturatie defacturation
    """,
    "shipping_": """
        shipping ship shippingaddress delivery deliveryaddress liefer lieferadresse livraison envio deenvio
        entrega deentrega spedizione dispedizione consegna diconsegna verzend lever aflever bezorg
        delivraison
    """,
}


def address_names() -> Iterator[tuple[str, str]]:
    """What columns of addresses are called: `Billing City`, `City (Billing)`, plain `City`."""
    for group, prefixes in ADDRESSES.items():
        for part, words in PARTS.items():
            if group or part != "country":
                plainly = [] if group else words.split()
                of = [
                    each for p in prefixes.split() for word in words.split() for each in (p + word, word + p)
                ]
                yield group + part, " ".join([*plainly, *of])
