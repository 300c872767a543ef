/** What the exports of banks call a field besides its own name, in the form that `fold` gives a name. */
import type { CustomerUpdate, NewCustomer } from '@peere/client';

type Aliases = Partial<Record<keyof NewCustomer | keyof CustomerUpdate, readonly string[]>>;

/** @param text names with white space between them */
const names = (text: string) => text.trim().split(/\s+/);

/** Names that can be no other field. */
export const ALIASES: Aliases = {
  clientRef: names(`
    clientreference clientid clientno clientnumber clientcode clientidentifier customerid
    customerref customerreference customerno customernumber customercode customeridentifier custid
    custno custref custnumber partyid memberid memberno cif cifid cifno cifnumber externalid
    externalref externalreference`),
  firstname: names(`
    givenname givennames forename forenames firstnames fname christianname`),
  lastname: ['surname', 'surnames', 'familyname', 'lastnames', 'lname'],
  middlename: ['middlenames', 'othername', 'othernames', 'mname', 'middleinitial'],
  accountName: names(`
    fullname nameofaccount nameonaccount acctname acname accname accounttitle accountholder
    accountholdername accountholdersname nameofaccountholder acctholder holder holdername
    holdersname accountowner accountownername customername customersname clientname custname
    beneficiaryname`),
  email: ['emailaddress', 'emailaddr', 'emailid', 'mail', 'contactemail'],
  country: names(`
    countrycode countryiso countryiso2 countryisocode isocountry isocountrycode countryofresidence
    residencecountry residencecountrycode ctry ctrycode`),
  address: names(`
    streetaddress residentialaddress homeaddress postaladdress mailingaddress contactaddress
    fulladdress addr`),
  gender: ['sex', 'gendercode'],
  phone: names(`
    phonenumber phoneno mobile mobilenumber mobileno mobilephone mobilephonenumber msisdn telephone
    telephonenumber telephoneno telno tel cell cellphone cellno cellnumber gsm gsmno gsmnumber
    contactnumber contactno contactphone`),
  accountNumber: names(`
    accountno accountnum accountnr acctno acctnumber acctnum acno acnumber accno accnumber nuban
    nubanno nubannumber bankaccount bankaccountno bankaccountnumber iban ibanno ibannumber
    ibanaccount ibanaccountno ibanaccountnumber accountiban accountnumberiban accountnoiban`),
  reference: names(`
    ref refno refnumber referenceno referencenumber internalreference internalref internalid
    bankreference bankref ourreference ourref`),
  displayPicture: ['picture', 'pictureurl', 'photo'],
  state: ['region', 'province'],
};

/** Names that are the field if no other column is: a `Name` beside an `Account holder` is not sent. */
export const VAGUE_ALIASES: Aliases = {
  accountName: ['name', 'names'],
  address: ['address1', 'addressline1', 'addrline1', 'street'],
  accountNumber: ['account', 'acct', 'acc', 'ac'],
};

/** Words in front of a name that leave it the same field: `Customer email`, `Holder first name`, `Primary phone`. */
export const PREFIX = /^(?:customers?|cust|clients?|accountholders?|holders?|primary)(?=.)/;
