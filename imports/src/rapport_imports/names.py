"""What columns are called out there."""

import functools
import re
import unicodedata
from collections.abc import Mapping

from rapport_imports.parts import address_names

# Letters and digits only, without accents, best first: English and what well-known systems
# export, then German, French, Spanish, Italian, Portuguese, Dutch; for names, addresses, phones, and
# customers' ids, Polish, Turkish, Russian, Japanese, Chinese, Swedish, Danish, Czech.
_CUSTOMER_ID = """
    customerid custid custno clientid contactid externalid customernumber customerno memberid buyerid userid
    customeruser customeruserid squarecustomerid kundennummer kundennr kundenid kdnr numeroclient nclient
    noclient numclient idclient codeclient numerocliente idcliente nocliente nodecliente codigocliente
    codigodocliente codigodecliente codicecliente numerodecliente numerodocliente cislozakaznika klantnummer
    klantid klantnr householdkey householdid household numerklienta idklienta nrklienta musterino
    musterinumarasi musterikodu кодклиента номерклиента 顧客番号 顧客id 会員番号 客户编号 客户号 客户id
    会员编号 kundnummer kundenummer kundnr nrocliente nrodecliente numcliente codcliente codigodelcliente
    iddelcliente iddecliente iddocliente clienteid clientenumero nrcliente idcontatto klantcode
    relatienummer debiteurnummer debiteurennummer lidnummer refclient referenceclient identifiantclient
    numerodeclient mitgliedsnummer debitorennummer debitor custcode customercode clientcode kundencode
    customerref clientref contactref
"""
_CUSTOMER = "customer client kunde klant cliente buyer"
_EMAIL = """
    email emailaddress customeremail customeremailaddress contactemail billingemail billingemailaddress
    emailbilling buyeremail payeremail guestemail useremail mail emailadresse mailadresse adressemail
    adresseemail courriel adresseelectronique correoelectronico correo direcciondecorreo indirizzoemail
    postaelettronica enderecodeemail emailadres emailprimary primaryemail email1value email1 adresemail
    pocztaelektroniczna eposta epostaadresi электроннаяпочта почта メールアドレス eメール элпочта эладрес
    kundenemail kundenmail 电子邮件 电子邮箱 邮箱 epost epostadress emailadress emails emailid correos
    correoselectronicos direcciondecorreoelectronico direccionemail direcciondeemail enderecoeletronico
    enderecoeletronicoemail correioeletronico indirizzomail indirizzodiposta indirizzodipostaelettronica
    mailadres emailadressen adressecourriel adressedemessagerie
    email2address email2adresse email3adresse email3address email2value email3value email2 secondaryemail
    alternateemail
"""
_NUMBER = re.compile(r"(?<=[a-z0-9]{2})(?:nummer|number|num|no)$")
# `N° facture`, `Nº de cliente`, `Invoice #`.
_SHORT = re.compile(r"(?i)^n(?:[°º]|\.[°º])\s*(?=\w)")
_HASH = re.compile(r"(?<=\w)\s*#$")
_NAMES: Mapping[str, str] = {
    "external_id": f"{_CUSTOMER_ID} recordid recordidcontact {_CUSTOMER} id recid nummer numero",
    "honorific_prefix": """
        honorificprefix nameprefix prefix salutation socialtitle anrede titel civilite tratamiento
        tratamento aanhef
        titulo titolo pronomedetratamento appellativo aanspreektitel aanspreking
    """,
    "honorific_suffix": "honorificsuffix namesuffix suffix namenszusatz",
    "additional_name": """
        additionalname middlename middle zweitervorname weiterevornamen deuxiemeprenom segundonombre
        secondonome nomedomeio
    """,
    "birth_date": """
        birthdate birthday dateofbirth dob birthdatedate geburtsdatum geburtstag gebdatum gebdat
        datedenaissance naissance fechadenacimiento fechanacimiento cumpleanos datadinascita compleanno
        datadenascimento aniversario geboortedatum verjaardag geborenam nacimiento fechanac fechadenac
        datanascimento nascimento dtnascimento datanascita nascita natoil geboren geboortedag datenaissance
        neele anniversaire
    """,
    "given_name": """
        givenname firstname forename billingfirstname firstnamebilling vorname rufname vname prenom nombre
        nome primeironome voornaam imie ad adi имя 名 fornamn fornavn jmeno nombres primernombre
        nombredepila nomes nomeproprio nomesproprios prenome nomi voornamen roepnaam prenoms
    """,
    "family_name": """
        familyname lastname surname billinglastname lastnamebilling nachname familienname nname nomdefamille
        nom apellido apellidos cognome sobrenome apelido achternaam nazwisko soyad soyadi фамилия 姓
        efternamn efternavn etternavn prijmeni primerapellido apellidopaterno sobrenomes apelidos ultimonome
        nomedefamilia cognomi achternamen familienaam nomusuel nomdusage
    """,
    # What stands before it, as in `van der Berg`; and the second of two.
    "family_name_prefix": "tussenvoegsel tussenvoegsels voorvoegsel voorvoegsels infix vorsatzwort",
    "second_family_name": "segundoapellido apellidomaterno secondlastname",
    "display_name": """
        displayname fullname contactname customername billingname name kundenname vollername nomcomplet
        nomclient nombrecompleto nomecompleto volledigenaam naam imieinazwisko adsoyad adisoyadi фио 氏名
        お名前 名前 姓名 nachnamevorname vornamenachname vorundnachname lastnamefirstname firstnamelastname
        nombreyapellidos nombreyapellido nombreapellidos apellidosynombre apellidosnombre nombrecliente
        nombredelcliente nombredecliente nomedocliente nomecliente nomedelcliente nomeesobrenome
        nomesobrenome nomeeapelido nomeecognome nomecognome cognomenome cognomeenome nominativo klantnaam
        naamklant voorenachternaam nomduclient nometprenom prenometnom prenomnom nomprenom namn navn
    """,
    "organization_name": """
        organizationname organisationname organization1name companyname company organisation organization
        accountname billingcompany defaultaddresscompany associatedcompany firma firmenname unternehmen
        societe entreprise raisonsociale empresa razonsocial azienda ragionesociale bedrijf bedrijfsnaam
        empresas nombreempresa nombredelaempresa nombredeempresa compania organizacion sociedad
        nomedaempresa nomeempresa razaosocial companhia organizacao nomefantasia aziende societa ditta
        nomeazienda denominazione organizzazione bedrijven firmanaam organisatie organisatienaam nomsociete
        nomdelasociete nomentreprise foretag nazwafirmy spolecnost
    """,
    "email": _EMAIL,
    "phone": """
        phone phonenumber phoneno telephone telephoneno mobile mobileno mobilenumber mobilephone
        mobilephonenumber tel cell billingphone phonebilling telefon telefonnummer handy mobil mobiltelefon
        telefono numerotelephone portable movil celular cellulare telefone telemovel telefoon telefoonnummer
        mobiel defaultaddressphone phone1value phone2value businessphone homephone primaryphone
        numertelefonu telefonkomorkowy telefonnumarasi ceptelefonu telefonno телефон номертелефона
        мобильныйтелефон 電話番号 電話 携帯電話 电话 电话号码 手机 手机号 手机号码 telefonnr phones
        handynummer mobilnummer mobilfunk mobilfunknummer mobiltelefonnummer rufnummer festnetz
        festnetznummer telefonmobil telefonprivat telefonnummern telefonos telefonomovil telefonosmoviles
        moviles celulares telefonofijo numerodetelefono numerotelefono telefonodecontacto telefonocontacto
        numerodemovil telefonocelular numerodecelular tfno telf tlf telefones telefonefixo telefonemovel
        telefonecelular telemoveis numerodetelefone numerodetelemovel fone telefoni telefonofisso
        telefonocellulare cellulari numeroditelefono numerodicellulare numerocellulare recapitotelefonico
        telefoonnummers mobielnummer mobieletelefoon mobieltelefoonnummer mobielenummer gsm gsmnummer
        vastetelefoon telefoonvast telefoonmobiel telefoonwerk telefoonthuis telephones numerodetelephone
        workphone workphonenumber officephone directphone businessphone2 homephone2 otherphone
        telefongeschaftlich telefonprivat2 telefongeschaftlich2 telefondienstlich telefonburo haupttelefon
        weiterestelefon durchwahl direktwahl mobiletelefon telefonmobile whatsapp
        telportable telephoneportable telephonemobile telfixe telephonefixe numeroportable numeromobile
    """,
    "fax": """
        fax faxnumber faxnummer telefax telecopie faxes numerofax numerodefax numerodifax telecopieur
        businessfax workfax homefax otherfax faxgeschaftlich faxprivat faxbureau faxprofessionnel
    """,
    "account_number": """
        accountnumber account accountno kontonummer vertragsnummer numerodecompte numerocompte
        numerodecuenta numeroconto numerodaconta rekeningnummer numerocuenta kontonr
    """,
    "country": """
        country countrycode regioncode mailingcountry mailingcountrycode billingcountry billingcountrycode
        countrybilling countrycodebilling shipcountry shippingcountry othercountry address1country
        customercountry addresscountry countryregion land staat pays pais paese defaultaddresscountrycode
        paises paisderesidencia codigopais codigodepais codigodopais nazione nazioni codicepaese
        codicenazione landcode codepays landercode landerkurzel kraj zeme ulke orszag
    """,
    "language": """
        language languagecode locale sprache langue idioma lingua taal preferredlanguage idiomas
        idiomapreferido linguapreferita voorkeurstaal languepreferee korrespondenzsprache jezyk jazyk
    """,
    "time_zone": """
        timezone tz zeitzone fuseauhoraire zonahoraria fusoorario fusohorario tijdzone husohorario
    """,
    "customer": f"{_CUSTOMER_ID} {_CUSTOMER}",
    "amount": """
        amount total totalamount totalprice ordertotal ordertotalamount grandtotal spend price value revenue
        sales betrag summe gesamtbetrag umsatz gesamt bruttobetrag montant somme prixtotal importe monto
        importo totale valor bedrag totaal salesvalue linetotal lineamount rechnungsbetrag bestellsumme
        endbetrag gesamtpreis preis importes importetotal montototal preciototal precio totalpedido
        totaldelpedido valortotal montante totaldopedido precototal preco totalpago importi importototale
        totaleordine prezzototale prezzo valore bedragen totaalbedrag totaalprijs ordertotaal orderbedrag
        prijs montants montanttotal montantttc totalttc totalcommande prix kwota invoicetotal invoiceamount
        totalinvoice ordervalue ordertotalinctax soldfor brutto gross grossamount lordo bruto
    """,
    "refunded": """
        refundedamount amountrefunded refunded totalrefunded refundedtotal refundamount orderrefundamount
        partialrefunds erstattet erstattungsbetrag reembolsado importereembolsado totalreembolsado
        montoreembolsado devuelto valorreembolsado estornado valorestornado rimborsato importorimborsato
        totalerimborsato terugbetaald terugbetaaldbedrag bedragterugbetaald rembourse montantrembourse
        totalrembourse
    """,
    "currency": """
        currency currencycode currencyisocode ordercurrency transactioncurrency paymentcurrency
        invoicecurrency curr whg wahrg waehrung wahrung devise moneda divisa valuta moeda munt monedas
        munteenheid monnaie
        waluta mena
    """,
    "quantity": """
        quantity qty units cds lineitemquantity menge anzahl stueckzahl stuckzahl quantite cantidad quantita
        quantidade aantal cantidades unidades uds quantidades qtd qtde qta pezzi hoeveelheid stuks quantites
        qte ilosc
    """,
    "date": """
        date purchasedate invoicedate purchasetime timestamp datetime orderdate createdat paidat processedat
        createddateutc createdutc created paymentdate transactiondate datecreated datepaid datum belegdatum
        bestelldatum rechnungsdatum kaufdatum buchungsdatum datecommande dateachat datefacture fecha
        fechadecompra data datadiacquisto dataacquisto datadacompra aankoopdatum besteldatum
        saledate solddate datesold dateofsale datepurchased orderplaced invdate transactiontimestamp day
        fechacompra fechapedido fechadepedido fechafactura fechadefactura
        fechaventa fechadeventa fechadepago datacompra datapedido datadopedido datavenda datadavenda
        datafatura datadafatura datadopagamento datadeemissao dataordine datadellordine datavendita
        datadivendita datafattura datapagamento orderdatum factuurdatum betaaldatum verkoopdatum
        transactiedatum datedecommande datedachat datevente datedevente datedefacture datedepaiement
    """,
    # Of the day: what is called `time` beside a date is often in a zone of another column.
    "time": "transtime",
    "product": """
        productid productcode sku stockcode itemid itemcode itemnumber articleid ean gtin upc barcode
        artikelnummer artikelnr produktnummer product item article artikel producto codigoproducto
        codigodeproducto articulo produto codigoproduto codigodoproduto artigo prodotto codiceprodotto
        codicearticolo articolo artikelcode productnummer produit codeproduit codearticle
    """,
    "discount": "retaildisc coupondisc couponmatchdisc linediscount",
    "store": """
        storeid storecode storenumber store shopid filialnummer filiale tienda loja negozio winkel filiaal
        magasin
    """,
    "reference": """
        reference invoiceid orderid ordernumber order orderno invoicenumber transactionid receiptnumber
        paymentid invoice invno salesrecordnumber quittungsnummer
        rechnungsnummer bestellnummer belegnummer beleg numerofacture numerocommande numerodefactura
        numeropedido numerofattura numeroordine numerodopedido factuurnummer ordernummer bestelnummer
        opportunityid basketid basket receiptid receipt bonnummer kassenbon auftragsnummer auftrag
        bestellung id numerofactura factura
        numerodepedido pedido referencia idpedido iddopedido idtransaccion idtransacao numerodafatura fatura
        numeroencomenda numerodaencomenda encomenda fattura numerodordine ordine riferimento idordine
        idtransazione bestelling referentie factuur transactieid numerodecommande commande numerodefacture
        facture idcommande idtransaction
    """,
    "type": """
        transactiontype type documenttype belegart belegtyp dokumentart dokumenttyp vorgangsart typedocument
        typedepiece tipodocumento tipodedocumento documentsoort
    """,
    "status": """
        status stage stagename dealstage paymentstatus financialstatus orderstatus zahlungsstatus statut
        estado stato estadodelpedido estadopedido estadodepago estadodelpago situacion situacao
        estadodopedido statusdopedido estadodopagamento statusdopagamento statuspagamento statoordine
        statodellordine statopagamento statodelpagamento bestelstatus betaalstatus betalingsstatus etat
        statutcommande statutdelacommande etatdelacommande statutpaiement statutdupaiement etatdupaiement
        bestellstatus
    """,
    "order_id": """
        orderid ordernumber order orderno bestellnummer auftragsnummer numerocommande numeropedido
        numerodepedido numeroordine ordernummer bestelnummer numerodopedido pedido idpedido iddopedido
        numeroencomenda numerodaencomenda encomenda numerodordine ordine idordine bestelling
        numerodecommande commande idcommande bestellung auftrag sonumber salesorder salesordernumber
    """,
    "order_date": """
        orderdate ordered orderedat orderpurchasetimestamp createdat bestelldatum auftragsdatum datecommande
        fechapedido fechadepedido dataordine datadopedido besteldatum datapedido datadellordine
        dataencomenda datadaencomenda orderdatum datedecommande
    """,
    "promised_date": """
        requireddate promiseddate promiseddeliverydate duedate promised estimateddeliverydate liefertermin
        zugesagteslieferdatum datelivraisonprevue fechaprometida fechaentregaprevista dataconsegnaprevista
        dataprevista leverdatumbeloofd toegezegdeleverdatum fechadeentregaprevista fechaprevistadeentrega
        entregaprevista fechaestimadadeentrega dataprevistadeentrega previsaodeentrega dataprometida
        datadeentregaprevista prazodeentrega datadiconsegnaprevista consegnaprevista dataprevistadiconsegna
        datapromessa beloofdedatum beloofdeleverdatum verwachteleverdatum datedelivraisonprevue
        livraisonprevue dateprevuedelivraison datepromise dateprevue zugesagterliefertermin zugesagtertermin
        vereinbarterliefertermin geplanteslieferdatum voraussichtlicheslieferdatum promisedby eta
        expecteddelivery expecteddeliverydate estimateddelivery orderestimateddeliverydate
    """,
    "delivered_date": """
        shippeddate delivereddate deliverydate shipped delivered fulfilleddate fulfilledat lieferdatum
        geliefertam datelivraison fechaentrega fechadeentrega dataconsegna dataentrega leverdatum entregado
        entregadoel fechadeenvio fechaenvio datadeentrega datadaentrega entregue entregueem datadeenvio
        datadiconsegna consegnato consegnatoil dataspedizione datadispedizione geleverd geleverdop
        actualdelivery actualdeliverydate deliveredon deliveredat orderdeliveredcustomerdate
        tatsachlicheslieferdatum afleverdatum verzenddatum bezorgd bezorgdop datedelivraison livrele
        datedexpedition dateexpedition
    """,
    "purpose": """
        purpose list listname audience newsletter zweck liste finalite finalidad finalita finalidade lista
        doel lijst boletin
    """,
    "channel": "channel kanal canal canale kanaal",
    "consent": """
        consent optin optinstatus subscribed subscriptionstatus emailmarketingconsent acceptsmarketing
        acceptsemailmarketing marketingconsent einwilligung consentement consentimiento consenso toestemming
        consentimento emailmarketingstatus memberstatus suscrito inscrito iscritto ingeschreven abonne
    """,
    "consent_date": """
        consentdate consentat when optintime optindate optedinat confirmtime subscribedat unsubtime
        unsubscribedat lastchanged timestamp date datum fecha data einwilligungsdatum fechaconsentimiento
        fechadeconsentimiento dataconsentimento datadoconsentimento dataconsenso datadelconsenso
        toestemmingsdatum datumtoestemming dateconsentement datedeconsentement
    """,
    # Who left: a yes there is a no, so it is no consent.
    "left": """
        unsubscribed unsubscribe unsubscribedat unsubscribedate unsubscribeddate unsubscribetime unsubtime
        optout optedout optoutdate optoutat optouttime emailoptout hasoptedoutofemail donotemail
        donotcontact donotmail nomarketing abgemeldet abgemeldetam abmeldung abmeldedatum widerrufen
        widerruf desabonne desinscrit baja disiscritto descadastrado uitgeschreven afgemeld cleantime
        dadodebaja fechadebaja fechabaja datacancelamento descadastradoem disiscrittoil datadisiscrizione
        uitschrijfdatum desinscritle desabonnele datedesinscription
    """,
    "source": "source optinsource signupsource quelle origin herkunft origine fuente fonte bron",
    "proof": "proof nachweis evidence reference preuve prueba prova bewijs",
}
NAMES = {**_NAMES, **dict(address_names())}


@functools.lru_cache(1 << 14)
def without_case(name: str) -> str:
    """A name without case, its accents apart; `i` for the one without a dot."""
    return unicodedata.normalize("NFKD", name.casefold()).replace("\u0131", "i")


def plain(name: str) -> str:
    """A name without case, accents and signs, and with one word for a number: `Kundennr.`, `Kunden-No.`."""
    name = _HASH.sub(" number", _SHORT.sub("numero ", name))
    return _NUMBER.sub("nr", re.sub(r"[\W_]", "", without_case(name)))


# What any column of any kind is called.
KNOWN = frozenset(plain(word) for words in NAMES.values() for word in words.split())
