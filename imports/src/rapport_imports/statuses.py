"""What tools call an order or a payment, in the languages that they speak: whether it is a sale."""

import re

from rapport_imports.names import plain

# What HubSpot puts behind a stage.
_PIPELINE = re.compile(r"(?i)\s*\([^()]*pipeline\)$")


def known_by(status: str) -> str:
    """A status however it is written: `wc-on-hold`, `On hold`, `Closed won (Sales Pipeline)`."""
    return plain(_PIPELINE.sub("", status)).removeprefix("wc")


def _statuses(written: str) -> frozenset[str]:
    return frozenset(map(known_by, written.split("|")))


# What tools call a payment that is none, or is none yet; and a sale that is not won: the stages of an
# opportunity in Salesforce, of a deal in HubSpot. After English German, French, Spanish, Portuguese, Italian,
# Dutch, in which words are of a man or a woman.
NO_SALE = _statuses("""
    failed | payment failed | canceled | voided | void | pending | pending payment | payment pending |
    awaiting payment | waiting for payment | authorized | declined | denied | disputed | expired |
    uncaptured | incomplete | blocked | rejected | unpaid | not paid | draft | auto-draft | checkout-draft |
    trash | trashed | on-hold | requires_payment_method | requires_action | requires_confirmation |
    requires_capture | abandoned | abandoned checkout | refused | lost | open | overdue | deleted | bounced |
    uncollectible | write-off | fraud | suspected fraud | payment review | holded | authorised | autorisiert |
    quote | estimate | pro forma | angebot | gelöscht | überfällig | devis | presupuesto | preventivo |
    offerte |
    fehlgeschlagen | ausstehend | zahlung ausstehend | in wartestellung | abgelehnt | entwurf | unbezahlt |
    offen | zahlung fehlgeschlagen | nicht bezahlt | abgelaufen |
    échoué | échouée | échec | paiement échoué | échec du paiement | refusé | refusée | rejeté | rejetée |
    en attente | en attente de paiement | attente paiement | en attente paiement | impayé | impayée |
    non payé | non payée | brouillon | expiré | expirée | abandonné | abandonnée |
    fallido | fallida | pago fallido | rechazado | rechazada | denegado | denegada | pendiente |
    pendiente de pago | pago pendiente | en espera | impagado | no pagado | no pagada | borrador |
    caducado | caducada | expirado | expirada | vencido | abandonado | abandonada |
    malsucedido | falhou | falhado | falhada | pagamento falhou | recusado | recusada | rejeitado |
    rejeitada |
    negado | pendente | pagamento pendente | pago pendente | aguardando | aguardando pagamento |
    a aguardar pagamento |
    em espera | não pago | não paga | rascunho |
    fallito | fallita | non riuscito | non riuscita | pagamento fallito | rifiutato | rifiutata | negato |
    in attesa | in attesa di pagamento | in sospeso | non pagato | non pagata | bozza | scaduto | scaduta |
    mislukt | betaling mislukt | geweigerd | afgewezen | wachtend op betaling | in afwachting |
    in afwachting van betaling | in de wacht | openstaand | onbetaald | niet betaald | concept | verlopen
""") | _statuses("""
    prospecting | qualification | needs analysis | value proposition | id. decision makers |
    perception analysis | proposal/price quote | negotiation/review | closed lost | appointment scheduled |
    qualified to buy | presentation scheduled | decision maker bought-in | contract sent
""")
# What orders are called that were, until all was given back. A payment that was never made is `canceled`.
GIVEN_BACK = _statuses("""
    refunded | fully refunded | returned | reversed | retourniert | retournée | devuelta | charged back |
    chargeback | cancelled | erstattet | rückerstattet |
    zurückgezahlt | storniert | abgebrochen | remboursé | remboursée | annulé | annulée | reembolsado |
    reembolsada | devuelto | devuelta | cancelado | cancelada | anulado | anulada | estornado | estornada |
    devolvido | devolvida | rimborsato | rimborsata | annullato | annullata | stornato | terugbetaald |
    geannuleerd | gerestitueerd
""")
# What was given back in part.
PARTLY = _statuses("""
    partially refunded | partial refund | refunded partially | teilweise erstattet | teilweise zurückgezahlt |
    teilerstattet | partiellement remboursé | partiellement remboursée | parcialmente reembolsado |
    reembolsado parcialmente | parcialmente estornado | parzialmente rimborsato | rimborsato parzialmente |
    gedeeltelijk terugbetaald | deels terugbetaald
""")
# What a document or a transaction is called by which something comes back.
RETURN = _statuses("""
    refund | payment refund | return | credit | credit note | credit memo | gutschrift | rechnungskorrektur |
    stornorechnung | storno | erstattung | rückerstattung | retoure | avoir | remboursement | retour | abono |
    nota de crédito | devolución | reembolso | nota di credito | rimborso | reso | devolução | estorno |
    creditnota | creditfactuur | terugbetaling
""")
# What tools call a sale. Any other status is taken for one, and told.
SALE = PARTLY | _statuses("""
    paid | partially paid | succeeded | success | successful |
    complete | completed | processing | processed | cleared | captured | settled | fulfilled | shipped |
    delivered | closed | closed won | won | bezahlt | abgeschlossen | in bearbeitung | versendet | geliefert |
    payé | payée | terminé | terminée | en cours | expédié | expédiée | livré | livrée |
    pagado | pagada | completado | completada | procesando | enviado | enviada | entregado | entregada |
    pago | paga | concluído | concluída | processando | entregue |
    pagato | pagata | completato | completata | in lavorazione | spedito | spedita |
    consegnato | consegnata | betaald | afgerond | voltooid | in behandeling |
    wordt verwerkt | verzonden | geleverd | bezorgd
""")
