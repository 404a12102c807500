-- title: what a PayIQ payment paid on one account, invoice by invoice
-- grain: one row per invoice payment of a listed payment; share is null where its account is none of the payment's
-- source: InvoicePayments of GET Api/Payment (assumed); AccountNumber repeats ReferenceNumber and is not used
WITH owners AS (
    SELECT * FROM stg_payiq__payment_owners
)
SELECT
    i.page_no,
    i.position,
    CASE WHEN o.page_no IS NOT NULL THEN coalesce(o.account_id, '') END AS share,
    i.amount,
    i.reversal_amount AS reversal
FROM payiq__invoice_payments AS i
LEFT JOIN owners AS o ON o.page_no = i.page_no AND o.position = i.position AND o.account_number = i.reference_number
