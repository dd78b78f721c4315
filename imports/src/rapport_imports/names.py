"""What columns are called out there, and by which tools."""

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

# Letters and digits only, without accents, best first: English and what well-known systems
# export, then German, French, Spanish, Italian, Portuguese, Dutch; for names, addresses of e-mail and
# phones, and of customers' ids, Polish, Turkish, Russian, Japanese, Chinese, Swedish, Danish, Czech.
_CUSTOMER_ID = """
        customerid custid clientid contactid externalid customernumber customerno memberid
        buyerid userid customeruser customeruserid squarecustomerid kundennummer kundennr kundenid
        kdnr numeroclient nclient noclient numclient idclient
        codeclient numerocliente idcliente nocliente nodecliente codigocliente codigodocliente codigodecliente
        codicecliente numerodecliente numerodocliente cislozakaznika
        klantnummer klantid klantnr
        householdkey householdid household
        numerklienta idklienta nrklienta musterino musterinumarasi musterikodu
        кодклиента номерклиента
        顧客番号 顧客id 会員番号 客户编号 客户号 客户id 会员编号 kundnummer kundenummer kundnr
    """
_CUSTOMER = "customer client kunde klant cliente buyer"
_EMAIL = """
        email emailaddress customeremail customeremailaddress contactemail billingemail
        billingemailaddress emailbilling buyeremail payeremail guestemail
        useremail mail emailadresse mailadresse adressemail adresseemail courriel
        adresseelectronique correoelectronico correo direcciondecorreo indirizzoemail
        postaelettronica enderecodeemail emailadres emailprimary primaryemail email1value email1
        adresemail pocztaelektroniczna eposta epostaadresi электроннаяпочта почта
        メールアドレス eメール
        элпочта эладрес kundenemail kundenmail 电子邮件 电子邮箱 邮箱 epost epostadress emailadress
    """
_NUMBER = re.compile(r"(?<=[a-z0-9]{2})(?:nummer|number|num|no)$")
_NAMES: Mapping[str, str] = {
    "external_id": f"{_CUSTOMER_ID} recordid recordidcontact {_CUSTOMER} id recid nummer numero",
    "honorific_prefix": """
        honorificprefix nameprefix prefix salutation anrede titel civilite tratamiento tratamento aanhef
    """,
    "honorific_suffix": "honorificsuffix namesuffix suffix namenszusatz",
    "additional_name": """
        additionalname middlename middle zweitervorname weiterevornamen deuxiemeprenom segundonombre
        secondonome nomedomeio
    """,
    "birth_date": """
        birthdate birthday dateofbirth dob birthdatedate geburtsdatum geburtstag gebdatum gebdat
        datedenaissance naissance
        fechadenacimiento fechanacimiento cumpleanos datadinascita compleanno datadenascimento
        aniversario geboortedatum verjaardag
    """,
    "given_name": """
        givenname firstname forename billingfirstname firstnamebilling vorname rufname vname prenom nombre
        nome
        primeironome voornaam imie ad adi имя 名 fornamn fornavn jmeno
    """,
    "family_name": """
        familyname lastname surname billinglastname lastnamebilling nachname familienname nname nomdefamille
        nom
        apellido apellidos cognome sobrenome apelido achternaam nazwisko soyad soyadi фамилия 姓
        efternamn efternavn etternavn prijmeni
    """,
    "display_name": """
        displayname fullname contactname customername billingname name kundenname vollername
        nomcomplet nomclient nombrecompleto nomecompleto volledigenaam naam imieinazwisko adsoyad
        adisoyadi фио 氏名 お名前 名前 姓名 nachnamevorname
        vornamenachname vorundnachname lastnamefirstname firstnamelastname
    """,
    "organization_name": """
        organizationname organisationname organization1name companyname company organisation organization
        accountname billingcompany defaultaddresscompany associatedcompany firma firmenname
        unternehmen societe entreprise raisonsociale empresa razonsocial azienda ragionesociale
        bedrijf bedrijfsnaam
    """,
    "email": _EMAIL,
    "phone": """
        phone phonenumber phoneno telephone telephoneno mobile mobileno mobilenumber mobilephone
        mobilephonenumber tel cell billingphone phonebilling
        telefon telefonnummer handy mobil mobiltelefon telefono numerotelephone portable movil
        celular cellulare telefone telemovel telefoon telefoonnummer mobiel
        defaultaddressphone phone1value phone2value businessphone homephone primaryphone
        numertelefonu telefonkomorkowy telefonnumarasi ceptelefonu telefonno
        телефон номертелефона мобильныйтелефон 電話番号 電話 携帯電話 电话 电话号码 手机 手机号
        手机号码 telefonnr
    """,
    "fax": "fax faxnumber faxnummer telefax telecopie",
    "account_number": """
        accountnumber account accountno kontonummer vertragsnummer numerodecompte numerocompte
        numerodecuenta numeroconto numerodaconta rekeningnummer
    """,
    "country": """
        country countrycode regioncode mailingcountry mailingcountrycode billingcountry
        billingcountrycode countrybilling countrycodebilling shipcountry shippingcountry othercountry
        address1country customercountry addresscountry countryregion land staat pays
        pais paese defaultaddresscountrycode
    """,
    "language": "language languagecode locale sprache langue idioma lingua taal preferredlanguage",
    "time_zone": "timezone tz zeitzone fuseauhoraire zonahoraria fusoorario fusohorario tijdzone",
    "customer": f"{_CUSTOMER_ID} {_CUSTOMER}",
    "amount": """
        amount total totalamount totalprice ordertotal ordertotalamount grandtotal spend price value revenue
        sales betrag summe gesamtbetrag umsatz gesamt bruttobetrag montant somme prixtotal
        importe monto importo totale valor bedrag totaal salesvalue linetotal lineamount
    """,
    "refunded": """
        refundedamount amountrefunded refunded totalrefunded refundedtotal refundamount orderrefundamount
        partialrefunds erstattet erstattungsbetrag
    """,
    "currency": """
        currency currencycode currencyisocode ordercurrency transactioncurrency paymentcurrency
        invoicecurrency waehrung wahrung devise moneda divisa valuta moeda munt
    """,
    "quantity": """
        quantity qty units cds lineitemquantity menge anzahl stueckzahl stuckzahl quantite
        cantidad quantita quantidade aantal
    """,
    "date": """
        date purchasedate invoicedate purchasetime timestamp datetime orderdate createdat paidat
        processedat createddateutc createdutc created paymentdate transactiondate datecreated
        datepaid datum belegdatum bestelldatum rechnungsdatum kaufdatum buchungsdatum datecommande
        dateachat datefacture fecha fechadecompra data datadiacquisto dataacquisto datadacompra
        aankoopdatum besteldatum transactiontimestamp day
    """,
    # Of the day: what is called `time` beside a date is often in a zone of another column.
    "time": "transtime",
    "product": """
        productid productcode sku stockcode itemid itemcode itemnumber articleid ean gtin upc barcode
        artikelnummer artikelnr produktnummer product item article artikel
    """,
    "discount": "retaildisc coupondisc couponmatchdisc linediscount",
    "store": "storeid storecode storenumber store shopid filialnummer filiale",
    "reference": """
        reference invoiceid orderid ordernumber invoicenumber transactionid receiptnumber
        paymentid rechnungsnummer bestellnummer belegnummer beleg numerofacture numerocommande
        numerodefactura numeropedido numerofattura numeroordine numerodopedido factuurnummer
        ordernummer bestelnummer opportunityid basketid basket receiptid receipt bonnummer kassenbon id
    """,
    "status": """
        status stage stagename dealstage paymentstatus financialstatus orderstatus zahlungsstatus statut
        estado stato
    """,
    "order_id": """
        orderid ordernumber order orderno bestellnummer auftragsnummer numerocommande
        numeropedido numerodepedido numeroordine ordernummer bestelnummer
    """,
    "order_date": """
        orderdate ordered orderedat orderpurchasetimestamp createdat bestelldatum auftragsdatum
        datecommande fechapedido fechadepedido dataordine datadopedido besteldatum
    """,
    "promised_date": """
        requireddate promiseddate promiseddeliverydate duedate promised estimateddeliverydate
        liefertermin zugesagteslieferdatum datelivraisonprevue fechaprometida
        fechaentregaprevista dataconsegnaprevista dataprevista leverdatumbeloofd
        toegezegdeleverdatum
    """,
    "delivered_date": """
        shippeddate delivereddate deliverydate shipped delivered fulfilleddate fulfilledat
        lieferdatum geliefertam datelivraison fechaentrega fechadeentrega dataconsegna
        dataentrega leverdatum
    """,
    "purpose": "purpose list listname audience newsletter zweck liste finalite finalidad finalita",
    "channel": "channel kanal canal canale kanaal",
    "consent": """
        consent optin optinstatus subscribed subscriptionstatus emailmarketingconsent acceptsmarketing
        acceptsemailmarketing marketingconsent einwilligung consentement consentimiento consenso toestemming
    """,
    "consent_date": """
        consentdate consentat when optintime optindate optedinat confirmtime subscribedat unsubtime
        unsubscribedat lastchanged timestamp date datum fecha data
    """,
    # Who left: a yes there is a no, so it is no consent.
    "left": """
        unsubscribed unsubscribe unsubscribedat unsubscribedate unsubscribeddate unsubscribetime unsubtime
        optout optedout optoutdate optoutat optouttime emailoptout hasoptedoutofemail donotemail donotcontact
        donotmail nomarketing abgemeldet abgemeldetam abmeldung abmeldedatum widerrufen widerruf desabonne
        desinscrit baja disiscritto descadastrado uitgeschreven afgemeld
    """,
    "source": "source optinsource signupsource quelle origin herkunft origine fuente fonte bron",
    "proof": "proof nachweis evidence reference preuve prueba prova bewijs",
}

# The parts of an address, and whose address it is by what goes before or behind a part's name.
PARTS: Mapping[str, str] = {
    "street": """
        street streetaddress address address1 address12 addressline1 line1 street1 streetaddress1
        streetaddressline1 str strasse strassehausnr adresse rue voie direccion calle domicilio indirizzo via
        endereco morada logradouro rua adres straat
    """,
    "street_2": """
        street2 address2 addressline2 line2 streetaddress2 streetaddressline2 extendedaddress adresszusatz
        adresse2 complementadresse complemento
    """,
    "house_number": "housenumber streetnumber hausnummer hausnr huisnummer",
    "postal_code": """
        postalcode postcode zip zipcode zippostalcode plz postleitzahl codepostal codigopostal cap cep
    """,
    "city": "city town locality suburb ort stadt wohnort ville ciudad poblacion citta cidade plaats",
    "state": """
        state province region stateprovince stateregion statecode provincecode administrativearea county
        bundesland kanton departement provincia estado provincie
    """,
    "country": "country countrycode countryregion land pays pais paese",
}
ADDRESSES: Mapping[str, str] = {
    "": "mailing defaultaddress address address1 customer contact person other cardaddress",
    "home_": "home private privat",
    "work_": "business work office geschaftlich dienst",
    "billing_": "billing bill billingaddress rechnung rechnungs rechnungsadresse facturation facturacion",
    "shipping_": "shipping ship shippingaddress delivery deliveryaddress liefer lieferadresse livraison",
}


def _address_names() -> Iterator[tuple[str, str]]:
    """What columns of addresses are called: `Billing City`, `City (Billing)`, plain `City`."""
    for group, prefixes in ADDRESSES.items():
        for part, words in PARTS.items():
            if group or part != "country":
                plainly = [] if group else words.split()
                of = [
                    each for p in prefixes.split() for word in words.split() for each in (p + word, word + p)
                ]
                yield group + part, " ".join([*plainly, *of])


NAMES = {**_NAMES, **dict(_address_names())}


@functools.cache
def plain(name: str) -> str:
    """A name without case, accents and signs, and with one word for a number: `Kundennr.`, `Kunden-No.`."""
    letters = unicodedata.normalize("NFKD", name.casefold()).replace("\u0131", "i")
    return _NUMBER.sub("nr", re.sub(r"[\W_]", "", letters))


PLAIN = "import"
_MAILING = """
    mailingstreet mailingcity mailingstate mailingstateprovince mailingpostalcode mailingzippostalcode
    mailingcountry mailingcountrycode
"""
# Whoever has all of one set, between bars; as `plain` has them.
_MARKED = {
    "shopify": """
        name financialstatus | customerid acceptsemailmarketing | customerid acceptsmarketing |
        customerid defaultaddresscountrycode
    """,
    "stripe": "id createddateutc | id createdutc",
    "paypal": """
        transactionid fromemailaddress | transactionid gross fee net | transaktionscode absenderemailadresse |
        transaktionscode vonemailadresse | transaktionscode brutto netto
    """,
    "square": "squarecustomerid | paymentid grosssales | transactionid totalcollected",
    "hubspot": "recordid | recordidcontact | recordidcompany",
    "salesforce": """
        contactid accountname | contactid accountid | accountid accountname | id accountid lastname |
        id ownerid lastname | id systemmodstamp
    """,
    "woocommerce": """
        orderstatus billingfirstname | customerid billingfirstname | orderstatus firstnamebilling |
        ordercurrency billingemail | orderkey billingemail
    """,
}
_MARKS = {tool: [frozenset(mark.split()) for mark in marks.split("|")] for tool, marks in _MARKED.items()}
_MARKS["salesforce"] += [
    frozenset({of, part}) for of in ("lastname", "contactid") for part in _MAILING.split()
]
# What a tool calls a field, before what others call it: of purchases the id that each has, not one of
# something that only some belong to.
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    # `Name` is the number of the order, on each of its lines; `Id` is on the first alone.
    "shopify": {"reference": "name id", "order_id": "name"},
    "stripe": {"reference": "id"},
    "paypal": {
        "reference": "transactionid transaktionscode",
        "amount": "gross brutto",
        "email": "fromemailaddress absenderemailadresse vonemailadresse",
    },
    # Of deals: contacts have neither an amount nor a date of closing.
    "hubspot": {"reference": "recordid dealid", "customer": "associatedcontactids", "date": "closedate"},
    "square": {"reference": "paymentid transactionid", "amount": "totalcollected"},
    "woocommerce": {"reference": "ordernumber orderid"},
}


def system_of(header: Iterable[str]) -> str:
    """The system whose ids the file holds; `import` when its columns do not tell."""
    names = {plain(column) for column in header}
    return next((tool for tool, marks in _MARKS.items() if any(mark <= names for mark in marks)), PLAIN)


def columns_of(header: Iterable[str]) -> Mapping[str, str]:
    """What the tool that exported the file calls fields, best first."""
    return _COLUMNS.get(system_of(header), {})
