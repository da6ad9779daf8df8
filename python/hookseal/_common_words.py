"""Common English words of four letters and more, with those of this trade and of passwords.

A key that is mostly made of them was thought up and not drawn. The engine reads this file when it
is built.
"""

__all__ = ["WORDS"]

WORDS = """
able about above access account action active address admin after again agent alpha already always
amount angel animal another answer apple application april area around asset author autumn
available back backend balance banana bank base baseball basic batch battery beach bear beautiful
before begin being below best beta better between beyond bill billing bird black blue board body
book both bottle bottom branch bread break bridge bright bring brother brown build business button
buyer cache call callback camera card care carry case cash castle chair change changeme channel
charge charlie check cheese chicken child chocolate city class clean clear client close cloud code
coffee cold color come common company computer config connect console content control cookie
correct country course cover create credential credit cross current custom customer daily dance
dark data database date december deep default demo deploy design detail develop developer device
diamond digital dinner direct doctor document dollar domain door down draft dragon dream drive
during each early earth east easy echo edge eight email empty encrypt encryption endpoint energy
engine english enter entry environment error even evening event ever every example export extra
face fact fail fake family farm fast father february field fight file final find fire first fish
five fixed flag flower folder follow foobar food football force forest forever form forward four
free fresh friday friend from front fruit full future game garden gate gateway general generate
girl give glass global gold golden good great green ground group grow guest guitar half hand
handler happy hard hash have head health heart heaven hello help here high hmac hold home hook
hope horse host hotel hour house html http https human hundred idea image import income index info
inside integration internal internet into invoice iron island issue item january jelly jordan july
june just keep keyboard kind king kitchen know land language large last later laugh lead leader
learn leave left legacy length letmein letter level life light like line link list listen little
live load local localhost location lock login logo long look lord lost love lucky lunch machine
magic mail main make manage manager march market master match matrix maybe meet member memory menu
message middle million mind mine minute mobile model monday money monitor monkey month moon more
morning most mother mountain mouse move movie much music must name nation native near need network
never news next nice night nine node none north note nothing notify november number object october
offer office often once online only open option orange order other output outside over owner page
paint panda paper parent park part partner party pass passcode passphrase passwd password payload
payment paypal peace people pepper person phone phrase picture piece place plain plan planet plant
play player please point police policy pool port portal post power present press pretty price
prince princess print private problem process prod product production profile program project
protect provider public purple purpose purposes push quality queen query question queue quick
quiet qwerty rabbit radio rain rainbow random read ready real receive receiver record refund
region release remember remote replace report request reset response rest result return ribbon
right ring river road robot rock rocket root rotate round route rule safe sale salt sample sandbox
saturday save school score screen script search season second secret secure security select seller
send sender sentence september serial series serve server service session seven shadow share
shared ship shop shopping short show sign signature signed signing silver simple since single
sister site sleep slow small smart smile snow soccer social soft software solid some something
song sorry soul source south space special speed spirit spring stable staff stage staging staple
star start state station stay step still stone stop storage store story stream street string
strong student studio style subscription success such sugar summer sunday sunshine super superman
support sure sweet system table take talk target task teacher team temp template tenant test
tester testing text than thank that their them then there these they thing think this those
thousand three through thursday ticket tiger time today together token tomorrow tonight topic
total touch tower town track trade train travel tree trigger true trust trustno truth tuesday turn
twelve twenty ubuntu ultra uncle under unique universe update upload user username value vault
vendor verify version very victory video view village violet virtual visit voice wait walk wall
want warm watch water wednesday week welcome well west what wheel when where which while white
whole wide wild will wind window windows winner winter wish with without woman wonder wood word
work worker world would write yellow yesterday your yourself zebra zero zone zulu
"""
