"""Given names of many languages, and which of them are short forms of which.

A closed list is what tells "I'm Sheila" from "I'm Welsh" and "Thanks, Priya" from "Thanks, Everyone": a single
capitalised word counts as a name at once only where it stands here. A name that is missing costs recall (it needs
a second piece of evidence), a word that is wrongly here costs a wrong name; so words that are also ordinary
English, places or nationalities are in `AMBIGUOUS` instead. The lists here were compiled by hand from common
knowledge of naming customs; of the last part, what published talk mostly writes small, and what is a company, a
place or a surname more often than a given name, was left out.

`given_names_of_the_world.txt` adds 26,000 rarer ones, drawn by program from counts of people by given name; its head
says from which and by what rule. Where the two disagree, the lists here are right.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from transcription.sentences import listed
from transcription.soundalike import fold

GIVEN_NAMES = listed(
    """
    aaron abby abdul abdullah abena abigail abraham adaeze adam ade adebayo adele adil aditi aditya adrian
    adriana adrien agnes agnieszka ahmad ahmed aida aiden aidan aileen aimee aisha aisling aiyana ajay akiko
    akira akosua alain alan alana alasdair alastair albert alberto alec alejandra alejandro aleksandra
    aleksander alena alessandra alessandro alessia alex alexa alexander alexandra alexandre alexandria alexei
    alexis alfie alfonso alfred alfredo ali alice alicia alina alisha alison alistair allan allen allison alma
    alok alun alvaro alvin alyssa amal amanda amara amelia amelie amina amir amira amit amol amrit amy ana anaïs
    anand anastasia anders andre andrea andreas andrei andrés andrew andrzej andy anette angela angelica
    angelina angus anika anil anita anja anjali ann anna annabel anne anneke annelise annette annie anouk anselm
    anthony antoine anton antonia antonio anwar anya aoife archie ari ariana ariel arjun arlene armando arnaud
    arne arnold arthur arturo arun arvid arvind asha ashley ashok ashraf asif asma astrid athena aubrey audrey august
    augustin aurélie aurora ava avery axel ayaan ayako ayesha ayo ayşe aziz babak bahar barbara barry bart
    bartosz basil beata beatrice beatriz becca becky béla belinda ben benedict benedikt benita benjamin benny
    benoît bernadette bernard bernardo bernd bernice bert bertha bertrand beryl bessie beth bethan bethany betsy
    bettina betty beverley bhavna bianca bilal birgit birgitta bjarne björn bjorn blake blanca bob bobby bogdan boris
    bożena brad bradley brandon branwen brenda brendan brent brett brian brianna bridget brigitte brit britta
    bronwen bronwyn bruce bruno bryan bryony burak caitlin caleb callum calum calvin cameron camila camilla
    camille candice cara carina carl carla carlo carlos carmen carmel carol carole carolina caroline carolyn
    carrie carys caspar cassandra cassie catalina caterina catherine cathy catrin catriona cecile cecilia cecily
    cedric celeste celia celine cerys cesar chaim chantal charlene charles charlie charlotte chen cheryl chiara
    chidi chidinma chika chinedu chioma chinwe chloe chris chrissie christa christel christina christine
    christoph christophe christopher chuck ciara cillian cindy claire clara clare clarissa claude claudia
    claudio claus clement clemens cleo clifford clive colette colin colleen connie connor conor conrad constance
    cora cordelia corinne cormac cornelia cornelius cosima courtney craig cristina cristóbal curtis cynthia
    cyril daan dafydd dagmar daisuke damian damien damon dan dana daniel daniela daniele danielle danijel danilo
    danny daphne daria dariusz darius darren darryl dave david davide dawid deanna deb debbie deborah debra
    declan deepa deepak deirdre delia delphine delroy denis denise dennis derek dermot derrick desmond devi
    devon diana diane diarmuid didier diego dieter dilip dimitri dimitris dina dinesh dipak dirk dmitri dmitry
    dolores dominic dominik dominika dominique donald donna donovan dora doreen dorian doris dorothea dorothy
    dorota dougal doug douglas duncan dunja duygu dwayne dylan eamon ebony eddie edgar edith edmund eduardo
    edward edwin edwina efua egon eileen eilidh einar eira ekaterina elaine eleanor elena eleni eli elias elif
    elijah elin elina elinor elisa elisabeth elise elizabeth ella ellen ellie elliot elliott elodie eloise elsa
    elsie elspeth elvira emeka emil emilia emilie emilio emily emma emmanuel emre emrys enrico enrique enzo
    erica erich erik erika eric erin ernest ernesto ernst errol erwin esme esperanza esteban estelle esther
    ethan etienne eugene eugenia eugenie eunice eva evan evangeline eve evelyn evie ewa ewan ezra fabian
    fabienne fabio fabrice fadi farah farida faruk farouk fatima fatou fatoumata federico felicity felipe felix
    fergus fernanda fernando filip filippo finbar finlay finn fiona fionnuala flavia fleur flora floris folake
    franca frances francesca francesco francine francis francisco franco françois françoise frankie franz fred
    freda freddie frederic frederick frederik fredrik freya frida frieda friedrich fritz fumiko gabriel gabriela
    gabriele gabriella gabrielle gael gareth garry gary gaurav gavin gayle geert gemma gene genevieve geoff
    geoffrey george georges georgina gerald geraldine gerard gerardo gerhard gert gertrude ghislaine giacomo
    gianluca gianni gideon gilbert giles gillian gina ginny giorgio giorgos giovanna giovanni gisela giulia
    giuliana giulio giuseppe gladys glen glenda glenn gloria glyn godfrey gonzalo gordon graciela graeme graham
    grainne grażyna greg gregor gregory greta gretchen grigori grzegorz guadalupe gudrun guido guillaume
    guillermo gunnar gunther gustav gustavo gwen gwendolyn gwyneth györgy haakon habib hadiya hakan hal hamid
    hamish hamza hana hanan hannah hanne hannelore hans hanna haris harold harriet harrison harry haruka haruki
    hassan hattie hayley hazel hector hedda hedwig heather heidi heike heiko heinrich heinz helen helena helene
    helga helmut hendrik henri henrietta henrik henrike henry herbert herman hermione hervé hilary hilda
    hildegard hideo hiroko hiroshi holger holly horace horst howard hristo hubert huda hugh hugo humberto
    humphrey husain hussein huw iain ian ibrahim ida idris ifeanyi ifeoma ifor ignacio igor ikechukwu ilana
    ilaria ilias ilse imani imogen imran ines inga inge ingeborg ingrid ioana ioannis ira irena irene iris irina
    irma isaac isabel isabella isabelle isadora isaiah isak ishaan isidore isla isma ismail isobel isolde istván
    ivan ivana ivar ivo ivor ivy iwona izabela jaap jacek jack jackie jacob jacqueline jacques jade jaime jake
    jakob jakub jamal james jamie jamila jan jana jane janet janice janina janine janis jared jarek jarvis
    jasmin jasmine jason jasper javier jawad jaya jean jeanette jeanne jeannie jed jeff jeffrey jelena jemima
    jenna jennie jennifer jenny jens jeremiah jeremy jerome jerry jerzy jess jesse jessica jessie jill jillian
    jim jimena jimmy jin jitka jo joachim joan joanna joanne joão joaquin jocelyn jochen jodie joe joel joelle
    joey johan johanna johannes john johnny jolene jon jonas jonathan jonny jorge jörg joris josé jose josef
    josefina joseph josephine josh joshua josie joyce juan juana juanita judith judy jules julia julian juliana
    julie julien juliet julieta juliette julio julius jun jürgen jurgen justin justine justyna jutta kai kalpana
    kamal kamala kamila karen karim karin karina karl karla karolina kasia kasper kat katarina katarzyna kate
    katerina kath katharina katherine kathleen kathrin kathryn kathy katie katja katrin katrina katy kavita kay
    kazuo keeley kehinde keiko keir keith kelechi kelly kelvin ken kenji kenneth kenny kerry kerstin kevin
    khadija khalid khalil kiera kieran kiran kirsten kirsty kirsti kjell klara klaus knut koen kofi konrad
    konstantin kristen kristian kristin kristina kristoffer krystyna krzysztof kunal kurt kwabena kwame kwasi
    kyle kyoko kylie kyra lachlan laila lakshmi lalita lamar lana lara larissa larry lars latoya laura laurence
    lauren laurent laurie lavinia lawrence layla leah leander leandro leanne leila leigh lena lenka lennart
    lenny leo leon leona leonard leonardo leonie leonor leopold leroy lesley leslie leticia levi lewis liam
    lidia lieselotte lillian linda lindsay lindsey linus lionel lisa lisbeth liselotte livia liz liza lizzie
    lloyd lois lola lorena lorenzo loretta lorna lorraine lothar lotte lottie lou louis louisa louise lubna luc
    luca lucas lucia lucie lucien lucille lucinda lucy ludmila ludovic ludwig luigi luis luisa luka lukas łukasz
    luke luna luther lydia lyn lynda lynette lynn lynne maarten mabel madeleine madeline madhav mads maeve magda
    magdalena maggie magnus mahmoud mai maia maija maike mairi maja malachi malcolm malik małgorzata mandy
    manfred manish manju manoj manon mansoor manuel manuela mara marc marcel marcela marcella marcia marcin
    marco marcos marcus mareike margaret margarita margot margrethe marguerite maria mariam marian mariana
    marianne marie mariella marija marijke marilyn marina mario marion marisa marisol marissa marit marius
    marjorie markus marlene marlon márta marta martha martijn martin martina martine martyn mary maryam masha
    masako massimo mateo mateusz mathew mathias mathilde matilda matt matteo matthew matthias matthieu mattias
    maud maura maureen maurice mauricio mauro max maxim maxime maximilian maxine maya mayumi meera megan mehdi
    mehmet mei mel melanie melina melinda melissa melody melvin mercedes meredith merete merle mia micah michael
    michaela michal michał micheál michel michela michele micheline michelle michiel mick mickey miguel mihai
    mika mikael mike mikhail mikko milan milena miles millie milo mina mindy mira miranda mireille mirela miriam
    mirjam miroslav mitchell mitsuko mohamed mohammad mohammed moira molly mona monica monika monique montserrat
    morag morgan morten moses moshe muhammad mukesh muriel murray musa mustafa myra myriam myrtle nadia nadine
    nadja nahid naima nancy naoki naoko naomi nasir nasrin natalia natalie natalya natasha nathalie nathan nathaniel
    naveen nazanin ned neema neha neil nell nellie nelson nergis neville ngozi niall niamh nic nicholas nick
    nicki nicky nico nicola nicolas nicole nicolò niels nigel nik nikhil nikita nikki niko nikola nikolai
    nikolaos nikos nils nina nisha nita nkechi noah nobuko noel noelle noemi nora norbert noreen norma norman
    nuala nuno nuria obinna octavia odette odile oksana ola olaf olav ole oleg olena olga oliver olivia olivier
    olof oluwaseun oluwatobi omar omid ophelia orla orlando orson oscar oskar osman oswald otto owain owen özlem
    pablo padraig paloma pam pamela paola paolo parminder parvati pascal patricia patrick patrik patrizia patsy
    patti paul paula paulina pauline paulo pavel pawel paweł pearl pedro peggy pekka penelope penny percy
    perrine peter petr petra petros phil philip philippa philippe phillip phoebe phyllis pia pierre pieter pilar
    pierrick piotr prakash pradeep pranav prashant preeti priscilla priya priyanka prosper przemysław quentin
    quincy quinn rachael rachel rachid radek radha rafael rafał raghav rahul raimund raj raja rajesh rajiv ralf
    ralph rama ramesh ramón ramon rana randall randolph randy rani raphael raquel rashid raúl raul ravi ray
    raymond rebecca rebekah reginald regina reiko reinhard rémi rémy renata renate rené rene renee reuben reza
    rhian rhiannon rhoda rhona rhys riccardo ricardo richard rick ricky rita rob robbie robert roberta roberto
    robyn rocio roderick rodney rodrigo rogelio roger roisin roland rolf roman romy ron ronald ronan ronnie rory
    rosa rosalie rosalind rosamund rosanna rosario rosemary rosie roshan ross rowan rowena roxanne roy ruben
    rudi rudolf rufus rupert rupinder ruslan russell rutger ruth ryan ryszard sabina sabine sabrina sachiko
    sadia saeed sahar saif sakura salim sally salma salman salome salvador sam samantha samer samira samir
    samuel sandeep sandra sandro sandy sanjay sanna santiago saoirse sara sarah sari sasha saskia satoshi saul
    scott seamus sean sebastian sebastien selena selina selma serena serge sergei sergio seth shabana shahid
    shalini shamim shane shannon sharif sharon shaun shawn sheena sheila shelagh shelley sheryl shirin shirley
    shiv shivani shona shreya shyam sian sidney siegfried sigrid sigurd silas silke silvia silvio simon simona
    simone sinead siobhan sita sivan skye slawomir sofia sofie solange soledad solomon solveig sonia sonja sonya
    sophia sophie søren soren stacey stacy stan stanislav stanley stefan stefania stefano steffi stefanie stella
    stephan stephanie stephen steph steve steven stewart stig stina stuart sue suki sukhi sunil sunita suresh
    surya susan susana susanna susanne susie suzanna suzanne suzie svein sven svetlana swati sylvain sylvia
    sylvie szymon tabitha tadeusz taiwo takashi takeshi tamar tamara tamás tamika tamsin tania tanja tanya tara
    tariq tasha tatiana tatyana taylor ted temitope teodor teresa terence teresita terri terry tess tessa thabo
    thaddeus thandi thandiwe thea thelma theo theodora theodore theresa therese thibault thierry thijs thom
    thomas thora thorsten tia tiago tiffany tilda tim timo timothy tina tito tobias toby todd tom tomas tomás
    tomasz tommaso tommy toni tony tonya torben tore torsten tove tracey tracy trevor tricia trina trish trisha
    tristan trudi trudy tuomas tyler tyrone uche ugo ulrich ulrika ulrike umar una unni ursula usha uta ute uwe
    uzma václav valentina valentine valeria valerie valéry vanessa vanya varun vasco vasily veena vera verity
    verena verna vernon veronica veronika veronique vicente vicki vicky victor victoria vidya vijay vikram
    viktor viktoria vikki vilhelm vimal vinay vince vincent vincenzo viola violeta virginie vishal vito vittoria
    vittorio vivek vivian vivien vivienne vlad vladimir volker waheed waldemar walid walter wanda wangari
    wanjiru warren waseem wayne wei wendy werner wesley wilfred wilhelm wilhelmina willem william wilma winifred
    winston witold wojciech wolfgang wouter xander xavier ximena xin yael yannick yannis yara yasmin yasmine
    yasuko yemi yetunde yewande yiannis yolanda yosef youssef yuki yukiko yuko yulia yumi yuri yusuf yvette yves
    yvonne zach zachary zahra zainab zara zbigniew zdeněk zelda zeynep zineb zoë zoe zofia zoltan zoltán zosia
    zsófia zubair zuri zuzana
    """
)

GIVEN_NAMES |= listed(  # of languages that the list above knows less of
    """
    abebe abiodun abiola achieng adaobi adunni adwoa afonso afua agata agneta aino ainsley airi akin akua alenka
    alexandros aleš alfons alisher aliya aljaž aloysius alphonse amadou amarachi ambrose amina aminata amparo anaïs
    anders andrej andris aneta angharad anh anikó annegret anneli annika ansel antti anu anuradha aoibheann aparna
    apinya aram arash ardian arkady armen arna aroha arul asger ashwin aslaug astrid atsuko aurelio avigail ayumi
    azadeh babajide babatunde baptiste baraka bartholomew bassam beathe behrouz bence benedetta benedikta bettany
    bilge birger birna bjarne bjarni boglárka bogusław bohdan bohdana bojan borbála branko breda bronagh bronisław
    bríd bukola cai calliope capucine carles catalin cathal cemal ceri chandra chantelle chau chidera chimamanda
    chinonso chinyere chukwuemeka ciaran cillín clodagh concepción conchita corentin cosmin crisanto csaba csilla
    czesław dagny daichi damilola danai daria daryna davina deividas delwyn denisa deshawn despina dewi dilys
    dimitra dionisio dobrila dolores donal donata dong-hyun dorthe doru draga dragan duc dumisani dušan dženan
    eamonn ebba ebele eero efosa egemen einar einir eiríkur eitan elchin eleftheria eleri elham elisabetta eliška
    elzbieta emese emyr endre enikő enok eoghan eoin erlend ernesta erzsébet esi eskil estela eszter ettore euan
    eun-ji eunji ezinne fabiola farhad farid farzana fatemeh fatma faye fedor feliks femi femke ferenc fereshteh
    fermín fiammetta finnian fintan fiorella flóra folasade franjo friederike frode fumiko gabrielė galina gennady
    gerda gergely gethin ghassan giedrė gilad gintaras gizem golnaz gonçalo goran gordana grzegorz gráinne gunilla
    gunnhild gunvor guðrún gwilym gyula göran gülsüm hadas hadiza haim halima halina halyna hanneke haoran harald
    haresh harini hedvig hemi hinemoa hiromi hoang holgeir hrafnhildur huda huong hyun-woo håkan ibolya idan idowu
    iestyn ieuan ignatius ihsan ikenna iker ildikó ilkka illtyd ilona iman imelda imre inese ingunn inês ioan iolo
    irem irmgard isabelle ishbel ismael itai iulia ivana ivica izaskun jaan jadranka jadwiga jakov jalal jamshid
    janez jarosław jasna javad jeanette jejomar jelle jeppe jerzy jesús ji-woo jianguo jianhong jihoon jin-ho jitka
    jiří joaquín jokin jolanta joris jorunn jovana jožef juhani jukka julija jussi jóhanna jūratė kaarina kaia kairi
    kalevi kamau kamila kang karoliina karthik kasimir kateřina kaveh kavitha kayode kazuko kelechi kenechukwu kenta
    kerem khadijah khanh kieron kimiko kiri kirsi kirsteen kofi kojo kostas krešimir kristjan kristof kristīne
    krzysztof kseniya kunle kwabena kwaku kwasi kwesi kyung-soo lachezar lamine lars-erik lasse laszlo latifah
    latisha laurynas leila lelisa lerato leszek levent liesl lieve lihua liisa lindiwe ling linh linnéa lisette
    ljiljana ljubica lovro loïc lucija ludovica luzviminda luísa lwazi lyudmila lászló maarit maciej mahnaz maikel
    mairead maj-britt maja maren margus maricel marija marián marjatta marjolein markku marko markéta marzena
    mathilde matilde matjaž matteus maxime mayra małgorzata mbali meenakshi meera mehwish meiling meltem menno merav
    merete merja mette mihaela mikkel mikołaj mildred milica milos min-jun minh mirela mirjana miroslava mitra moana
    modupe mojca morven morwenna mustafa mwangi mykola máiréad márton nadeem nagore nahuel nana nanna narges nataša
    natsuki nayeli ndidi neda nedim neema nele nerys nevena ngaire nguyen nicoleta niilo nikolett nima nives njambi
    njeri nkosana nneka noam nokuthula noura nthabiseng nur nurhan nyasha obiora océane odalys oddný ogechi ohad
    oleksandr olha oluchi oluwatoyin omolara onalenna ondřej orhan orla ostap otieno otilia ourania oystein padma
    palesa parisa parvin pauliina pavlína perpetua petar petronella petteri phuong piret pirkko piroska predrag
    primož przemek päivi péter quang quique rabia radka radovan ragnar ragnhild rahel raimo rainer rajiv rangi
    rasmus rastislav reetta rehema reidun revathi reza rifat riikka riku rodel rogério ronke rosalía rosamund
    rostislav rowan rozália ruairi ryoko ríona róisín rūta saara sachiko saeed sagal sakari samar sampo sandeep
    sanele saoirse sarika saskia satu savitri selim senthil seo-yeon sergey serhii seung sevda sevgi seán shanthi
    shira shlomo shu siavash sibusiso sigríður sigurd sigurður sigve silvija simeon sinazo sini siobhán sipho sirpa
    sixten sjoerd slavica slobodan snežana soile solomiya solène soo-jin sorcha spyros srinivas stavros stefán
    steinar stelios stipe struan sunniva svana svetoslav szilvia taavi tadej tadhg tae-yang taina tamar tapio taras
    tarek tatjana tayo tetsuo thabiso thandeka thanh thanos thora thuy tibor tihana tiina timea timofey tinashe
    titilayo tjaša tobiasz tomislav tomoko toomas torbjörn torbjørn tord torsten trang trine truls trygve tsegaye
    tuan tunde tuula tzipora tziporah tāne uchenna ulla unai unathi uri urška uzoamaka valdis vanja vasiliki vasilis
    veikko velimir veselin vesna vigdis viktorija vilde viljem villads vilma virág vojtěch vuk vusi vytautas waleed
    wambui wanjiku wei weiwei wen wiebke wilhelmus wiremu wojtek xiaoming xiu yaakov yamuna yana yannis yaroslav
    yasmina yaw yehudit yelena yerlan yevgeny yifan yinka ylva yngve yonatan yrsa yuan yuma yumiko yusra zahid
    zainab zanele zaynab zdenka zhanna zlata zodwa zoltán zoran zsolt zsuzsanna zulema zuzanna árpád ásta ödön
    þórdís þórunn žaneta željko
    aad aarav aart aarti aatu abdulkadir abhay abhijit abhinav abhishek abubakar adalbert addison adeline adeola
    adesola adetola adi adina adriaan adriel afanasy afsaneh agustín aharon ahmet aiko aitor akash akbar akhil aki
    akihiko akihiro akintunde aksel akshay albertine albrecht alden aleksi alexey aliakbar alireza aliyu allegra
    allie allyson alper alton alva alvar alwin alyona ama amaia amandine amar ambika ameen amichai amin aminu
    amitabh amjad ammar amnon amos amrita amund anahita analise anant ananya anas anatoly anaëlle ander andoni
    andrey andré anele angelo aniket anirudh ankit ankita anmol annabelle annalise anne-marie annemarie annemiek
    anni antwan anuj anupam anurag anusha anxo anıl apolline archana archer arda ardeshir arend arezoo ariadna arie
    arielle arik arild arjan arjen arlen arlo arman armani armin arndt arno arnt aron arpit artem arto artyom asaf
    asami asante asbjørn asghar ashish ashlee ashlyn ashton asier asko asuka asuman atakan atefeh atle atsushi
    atticus atul aubree aubrie aud aurélien austen avi aviad avihu avinash aviram avishai aviv avner avraham axelle
    axl ayaka ayame ayanda ayelet aykut ayla aylin ayman aymen ayodeji ayodele ayotunde aytaç ayush ayşegül bahram
    balaji balthasar bamidele banafsheh bandile barbra barnaby bartek bartłomiej baruch basel bastiaan bastien
    baylor beau beckett begüm behnam behrang behzad beltrán bengt benicio bennett benno benoit bente benton berend
    berit berk berkay bernadine berndt bethanie bette beverly bharat bhargav bhavesh bijan bilel birgitte birte
    bita bjørn blair blaise blythe boaz bobbi bodhi bodil bodo bogdana bola bongani borislav bosse boyan boyang
    braden brady braeden braedon bram brandi brandt branson brayden breanna brenna brenton brice bridgette brielle
    briggs brinley britney britt brock broderick brodie brody bronson bruna bryce brynjar brynn bryson buford buket
    burcu burkhard busisiwe byron byung bärbel bård bülent błażej cade caden caetano caitlyn cale cali callie
    camryn canan candace caner carissa carleen carlton carly carme carmela carrol carsten cary cassidy cathleen
    cayetana cecil cecilie cees celina cem ceren chaitanya chan-ho chana chandler chanel changmin charissa charlène
    chen-wei chenxi cherie chet chetan chibueze chie chihiro chijioke chirag chisom chizoba christer christi
    christie chukwudi cihan cinda cindi ciro claas claudette clementine cleve clint clyde cláudio clémence clément
    coby cody coen colby coleen collin colton conner constantin cor coralie corbin cordell corey corinna corné
    corrine cory cristal cristian cuong cyndi cyrille cyrus cédric dae-jung dafna dafni dagfinn daiki dalia dallin
    dalton damion damián daniella danila dante daphna darby darcy darian darin dario dariush darlene darnell darrel
    darrell darrin darron darshan darya dashiell davi davion davon davood dawei dax dayo deandre deangelo debbi
    debi debora deena deepti deidra deidre deion delaney delbert delilah delmar demarcus demetrio demetrios
    demetrius dena denice denny denys deon deron derrek desiree detlef devan devang devin devonte dewayne dewey
    dexter dharmesh dhruv dico didrik diederik diether dietmar dietrich dilara dillon dima dino diogo dion divya
    dmitriy dmytro dobromił dominick donnie doron dorte dov doyun doğan dror duane dudley dustin dwain dwight
    débora dörte earlene ebere ebru eckhard eddy edeltraud edgardo edna edson eeke eelco eeva efe efrat egbert egil
    ehsan ehud eider eiji eiko eino ekene ekkehard elad eldad eldar eldon elfriede elisabet elisha elisheva elissa
    eliyahu elke ellis ellsworth elmer elnaz elon elroy els elton elva elvan elvin emad emeline emerson emery emi
    emiel emilee emine emmett emrah eneko engin enid enitan ennis enoch ephraim ercan erdal erdem erdoğan erez
    erhan erhard erick ericka eriko erkan erkki erland erma ernst-ulrich erol ersin ertuğrul ervin esau espen esra
    essam estefanía estella ethel eun eunju eustace evander evaristo eveliina evelin everett evert evren eylül
    eytan eyvind ezekiel ezequiel fabien fabrício facundo fadel fady faisal fallon fannie faramarz fardin fariba
    faris faron farrah farshad farzad farzaneh fayez fela felicia feras ferdinand ferhat feride figen fikret filiz
    firouz flavien flemming florent florian flávio folarin forrest franciszek frans frauke freddy freek friedemann
    friedhelm frits fumio funke funmi fyodor füsun gadi gage gaizka gale galen galit garland garret garrett garrick
    garth gaspar gaspard gautam gauthier gaylord gaël gaëlle gbenga geertje geir gena genaro genki georgette georgi
    georgiana georgy gerben gerd gereon germán gero gerri gerrit gertie ghada ghazal ghislain gijs gil gilda gili
    girish gisbert gisele giselle gitte gjermund glendon glenna gokul gonca gopal gottfried govind gracie grady
    grayson greer gregg grete greyson griffin grigory gro grover grégoire gudbrand gudmund gugu guilhem guilherme
    gunhild guntram gus gustaf guttorm guus gwenaël gwenda gyda gyeong gökhan gökçe görkem götz gül gülay gülşen
    gürkan ha-eun hadar hadeel hadi hadley hae-jin haeun haico hailey haitham haiyan hala haldun haley
    halfdan hallie halvard halvor hamed hamidreza handan hande hani hania hanna-leena hannes hanno hannu
    hans-jürgen hans-peter haoyu hari harish harlan harley harmen harmon harper harri harsha hartmut haruko haruto
    hasan hatem hatice hayden hazal hazem heba hee-jin heikki hein heiner heitor helge hemant hend henk henna
    henning henrique hermann hershel herwig hessam hessel hester hideaki hidehiko hideki hien hila hilde hilkka
    hillary hilma hiltrud himani himanshu hina hinata hiram hiroaki hiroki hiroto hiroyuki hisako hisham hitesh
    hjalmar hobart holden hollis homa homayoun hooman hosam hossein howie hoyt huib hussam huxley hyejin hyeon
    hylke hyo-jin hyrum hyun hyunjin hyunwoo håkon héctor hülya hüseyin iago ibtisam ichiro idun ife iga ihab ihor
    iida iiro ilan ilhan ilker ilknur ilmari ilya ilyas imad imane imogene in-ho ina inas inbal inbar ineke inger
    ingjerd ingmar ingo ingvar ingvild inka inna inácio inès iraj ireneusz irja irvin irving irwin isamu iselin
    ishan isiah isidro itamar itay itsuki itziar itzik iva ivaylo ivone iván iyad jabari jacco jace jacinda jaclyn
    jacoby jacquelyn jad jada jaden jae-hyun jaehyun jaemin jaewon jafar jagoda jaleel jalen jamar jameson jamison
    jan-erik jan-willem janae jancy janek janelle janette janie janna janne janneke jannik jannis janosch jari
    jarkko jarl jarmo jarod jaron jarrad jarrett jarrod jatin jaume javon jaxon jaxson jayant jayce jayden jayla
    jaylen jayne jayson jazmin jean-baptiste jean-charles jean-claude jean-françois jean-louis jean-luc jean-marc
    jean-marie jean-michel jean-paul jean-philippe jean-pierre jean-sébastien jeanine jedediah jedidiah jefferey
    jefferson jeffery jeffry jelani jeltje jenifer jennings jeong jerald jeri jermaine jerod jeroen jerold jerrod
    jerrold jesper jethro jetske ji-eun ji-hoon ji-hye ji-yeon jiahao jiajun jian jianhua jide jieun jignesh
    jihye jimi jimin jimmie jingyi jinwoo jisoo jiwoo jiyeon jiyoung joakim joana joanie joann joaquim
    joasia jochem jodi jody joep johann johnathan johnathon johnnie jolanda jolie jonah jonatan jonathon joni joon
    joost jop jordi jordyn jorrit jory jos josefin josep josette josiah joslyn josselin jost josu josue jouni joël
    ju-hee judah judd judson juha juhee juho julianna julianne julissa juma jun-ho junho junichi junjie junko
    junseo junya juraci jurre jussara jyoti jérémie jérémy jérôme jörn jørgen jędrzej kaare kacper kadin kadir
    kaede kagiso kaija kaitlin kaitlyn kaito kaleb kalle kalyan kameron kamil kamran kamyar kana kandace kaori kara
    karabo karel kari karima karissa karl-heinz karl-johan karly karri karsten kartik karyn kasey katayoun katelyn
    kateryna kathi kathrine kathryne kati katina katri katsu katsumi katsuya kauã kaya kaydence kaye kayla kaylee
    kayleigh kaylie kaylin kaylyn kayvon kaz kazimierz kazuki kazuya keanu keaton keegan keenan kees keiji keijo
    keira keisha keita kellan kelley kelli kellie kelsey kelsi kemal kemi kendal kendall kendra kenichi kennith
    kentaro kenyon keren keri kermit kerri ketil kev keyvan khaldoun khaled khanyi khosrow kian kiana kianna
    kianoush kiara kiley kilian killian kim kimber kimberlee kimberley kimberly kimmo kinga kip kira kirby kirill
    kirstie kiyoshi kjersti kjetil klaas klaasje klaudia kobina kody koichi koji koku kolby koldo kole kolton
    konnor koos koray korbinian korhan kory kosuke kotaro kourosh kraig kris krishna krista kristal kristi kristie
    kristine kristopher kristy krystal krystian kumiko kurtis kutay kwang kyla kylee kyleigh kyung kåre kıvanç lacy
    ladonna laetitia laia lainey laleh lalit lamia lamin lamont landen landon laney lanny laron lassi latasha
    latonya laureano laurens lauri lauryn lavern laverne lavonne lawanda layne layton leann leanna leatrice leena
    leesa leevi leif leighton leire lela leland lemuel lene lenora lenore leola leonel leonhard lesa lessie lester
    leta letitia lev liang liesbeth lila lilah lili lilian liliana lillie lilly lina lingling linn linnea lino
    linwood lior liora liran lisandro lise liudmila lizbeth llewellyn lodewijk logan lonnie lonny loren lorene
    lorenz lori lorrie lotta louella louie lowell luan luanne luay lubomir lucian luciano lucius lucjan lucía
    ludger ludivine ludvig luella luiz lula lulu lutz luuk lyla lyle lyman lyndon lyndsay lyndsey lynnette lyuba
    léa léo léon maaike maame maayan mable macey machteld mack mackenzie maddox madelyn madhavi madhu mae magne
    mahdi maher mahesh mahsa maite majd majed majid makayla makena makenna makoto maksim maksym malaika malak
    malcom malek malin malinda mallory malorie malte mamadou mami mamie manabu manal manasi mandana mandi mandla
    manoel mansour marc-antoine marcelo marci marcie marcy margaux margery margit margo margriet mari mariah
    mariano maribel maricela marieke marijn marika mariko mariusz marjan marjo marla marlin marques marquis
    marquita marsha marte marva marvin marwa marwan maryann maryanne maryellen marylou masaaki masahiro masaki
    masami masanori masaru masashi masato masaya masoud massoud matan mathieu mathijs mathis matthijs matti mattie
    matías maude mauri maurício mavis maximus maxwell mayank maynard maysa mayu mayur mazen maziar maël maëlle
    mckayla mckenna mckenzie meagan meaghan megha meghan megumi mehran mehrdad meike meinhard meir melba melchor
    melih melike melisa melva mendel meral meriç merrick merrill mert merve mervin meryl mesut metin michiko
    mickaël midori mieke mihail mikaela mikayla mikeal mikel miki mikiko milind milla millard millicent mimi min-ho
    min-seo minami mingyu minho minji minjun minna minnie minoru minseok minsoo mireia miriah mirosław
    mirva misaki mislav misti mitch mitchel mitsuru mitzi miyu miyuki mizuki miłosz moataz modou mogens
    mohammadreza mohannad mohit moisés mojgan mollie momoko monroe monte monty moran mordechai morgane moritz
    morteza mortimer morton moti mounir mourad mpho mukami murat murilo mya myles myrna myron myung márcio märta
    mélanie mélissa mónica müge nabil nachiket nadav nader nadezhda nadim nadège naim najat najla naledi nanami
    nanette nannie naoto narendra naresh nasser nathanael natsumi natália navid nawal nazar neeraj negar
    nelda nelleke nerea neslihan nesrin nettie neva nevaeh nevin ngan nghia ngoc nhung nia nickey nickolas niclas
    nicolette nicolás nidal niek nihal nihat nika niklas nikolay nilesh niloofar niloufar nilüfer nimrod ninon nir
    nira niraj nishant nissim nithya nitin nitzan nizar njål nnamdi noa noboru nobu nobuo nobuyuki nola nolan
    nolwazi nomsa nona nonso noora noriko norio nour nourhan noé ntombi nuray nurcan nurit nyambura nyla octavio
    oda odd-arne oded odell ofelia ofer ofir oier oktay olabode oladele olamide olanrewaju olayinka olcay
    oleh oleksiy olen olesya olin olli olu olufemi olumide olusegun omer omri onni onyeka oona ora oren oriol orit
    orly orna orval orville osamu osmo osnat osvaldo othman otis otmar otávio ousmane outi oya oyinkan ozan ozgur
    oğuz oğuzhan pallavi palle pankaj pansy parag parth parvaneh parviz pascale pascual pasi patrica patrice
    patrycja patrício patty pau paulette pavan pavlo paxton payam payton pearlie peder pedram pelin pelle pentti
    pepijn pere pernille perttu petro peyman peyton philipp philomena phineas phuc pierre-yves piet piia pirjo
    piyush polat polina polly pontus pooja pooya portia pouya pramod prasad prashanth prateek praveen preben
    prescott preslav presley puneet pål pınar qasim qian qiang quim quinton quirijn quynh rabab rachelle rachna
    racquel radoslav radosław radwan rae raed raegan rafe rafi rafik raghu ragna rahim raija raimundo rajat rajeev
    raju rakesh raman rami ramin ramiro ramona ramya randa randal randi rania ranjit raouf raphaël rasha rashad
    rashmi ravindra rawan rayan raylene raymundo reanna reba recep reece reem refik reid reidar reijo reilly reiner
    reinhold reinier rekha remco ren rena renae renan renaud renske revital rey reyna reynaldo rhea rhett rhonda
    riad richelle rickey rickie rigoberto riitta rik rikke riley rima rina rinus rishabh rishi risto ritesh ritu
    rivka roald robb robby rocco rochelle rodger rodolfo rodrick roel roeland rogier rohan rohini rohit roi roie
    rolando romain román ronen ronit ronna ronny rosalinda rosalyn rosanne roscoe rosella rosemarie
    roshanak roslyn rotem rotimi roxana roxann roxie royce ruba rubin rubén rudolph rudy rui runa runar ruoxi
    ruprecht russel rustam ruthie ruud ryder ryker rylan rylee ryo ryosuke ryota ryuichi ryuji régis rüdiger rıza
    saad saadet sabiha sabri sachin sade sadie saeid safa sagar sagi sahil saki saku saleh salem sallie salomé
    salvatore samah saman sameer sameh sami sammie sanaz sander sandhya sandi sandrine sanford sang-woo sangeeta
    sangwoo sanjana sanjeev sankar sanne santeri sarai sarina sarit sarita sascha satish satomi satoru saurabh
    savanna savita sawyer sayaka sayuri schuyler scot scottie scotty sebastián sebbe sechaba sedat segun seiji
    selah selin selçuk sem semih semyon seojun seok seoyeon sepideh seppo serap sercan serdar sergi sergiy serkan
    setareh seun seung-hyun seunghyun sevil sevim seyi sezen sezgin shachar shad shadi shahab shahin shahla shahram
    shahriar shahrzad shai shailesh shana shania shankar shanna shanon shanshan shaohua sharad sharareh shari
    sharlene sharron shashank shashi shaul shauna shavon shawna shay shayan shayla shayne shea shelby sheldon
    shelia shelly shelton sheree sheri sherif sherine sherman sherri sherrie sherwin shideh shigeo shigeru
    shiloh shilpa shimon shin shingo shinichi shinji shinya shiori shir shiri shishir shlomi shmuel sho
    shohei shoko shoshana shota shreyas shrikant shruti shuang shubham shukri shulamit shunsuke shweta siamak sibel
    sid siddharth siebe siebren siem sienna sigbjørn sigmund signe sigrun siham silje simen simge simin simo simão
    sinan sindi siv sivert siwoo siyu sizwe sjaak sjors skylar skyler slava slavko sloane sneha snorre so-yeon soha
    soham sohee soheil sohrab sondra sonny soojin soraya sosuke sourav soyeon sridhar srikanth sriram staci stacie
    staffan stanisław steffen stellan stepan stephani stephon stetson stian stine sture stéphane suat subhash sudha
    sudhir suellen suha suhail sujata sujin sumiko sumit sung-ho sungho sungmin suraj sushil susumu suvi suz
    suzan suze suzette sveinung svenja sverre svetla svitlana swantje swapnil sylvester synne synnøve sébastien
    sérgio séverine sönke süleyman sławek sławomir tabatha tadashi tadeu taehyung taeyang tage taha taichi taiki
    takahiro takako takanori takao takayuki takuma takumi takuya talal tali talia tamaki tameka tamer tamera tami
    tamir tammi tammie tamra taner tanguy tanisha tanmay tanner tanvi tapani taraneh tarja tarjei tarkan tarmo
    tarun taryn tate tatsuo tatsuya tatum tawanna tawny tayfun teemu teija telmo temi tera terhi teri terje tero
    terrance terrell terrence terrie teruo tetsuya thad thalia thao thaís theda themba theron thiago thibaud thien
    thijmen thilo thinh thorben thorbjørn thu thulani thurman théo théophile tiana tiara tiffani tijmen tijs tilman
    tim-ole timothée tineke tingting tisha titi tjark tjeerd toan tobechukwu tobi tobiloba tod todor tolga tolu
    tomer tommie tomohiro tomomi tomoya tonia topi tora torgeir torgny torill torkel torkil toru torunn torvald
    toshi toshiko toshio toya tracee traci tracie traudl travis trent tressa trey trista trond truus tsepo tsubasa
    tsuyoshi tsvetan tsvi tucker tuija tumi tuomo turgut tushar tuva tuyet tuğba tuğçe twan twila tyra tyree
    tyrell tyrese tzipi tzvi türkan ubaldo uday udo ugochi ulf uli umesh urho urs utkarsh uzi uzoma vadim vadym
    vahid vaibhav vaino valarie valentin valery valère vance vandana vanesa vasant vasil vasyl vaughn vebjørn veera
    vegard veit veli velma venkat venkatesh vianney vibeke vickie vidar viet viggo vignesh viivi vikas viktoriya
    vineet vinh vinod vinzenz vinícius vipul virgie virgil virgilio virpi vitaliy vitaly viviana vladislav
    vladyslav volkan volkmar volodymyr vsevolod vyacheslav wadih wael wafa wallace walton waltraud wassim wataru
    waylon wendell wendi wenjie wes wessel whitney wieke wieland wietse wiktor wilbert wilbur wilda wilford
    wilfried willa willard willemijn willie winfried winona wissam wolf-dieter wolfram woo-jin woodrow woojin wout
    wyatt wynona wynonna wytse włodzimierz xabier xaver xavi xiang xiao xiaodong xiaofeng xiaoling xiaoyan xinyi
    xinyu xiuying xuan yaa yaffa yago yahya yair yalçın yaniv yann yannik yanyan yaping yaqi yarden yariv yaroslava
    yasaman yasemin yash yashar yasin yasser yasuhiro yasuo yasushi yavuz yazan yegor yehia yehonatan yehuda yeji
    yejide yejin yelda yeliz yen yeon yesenia yevhen yeşim yigal yihan yijun yiming yingying yitzhak yiğit yoann
    yoav yochai yogesh yohan yoko yoni yoona yoram yoshi yoshiko yoshio yoshito yossi yosuke yotam younes young-ho
    yousef yuhan yui yuichi yuji yuka yukari yukio yuliya yuna yunho yunus yuriy yury yusuke yuta yutaka yuto
    yutong yuval yuxuan yuya yılmaz zachariah zachery zackary zackery zafer zaid zakaria zaki zander zane zdravko
    zdzisław zechariah zeev zehra zein zeina zeke zelma zena zerrin zhenyu zhiqiang zhiyuan zhuo ziad zihan ziv
    zixuan zlatan zoelle zoey zohreh zoie zola zora zoé zuriñe álvaro åge åke åsa çağatay çağla çiğdem édouard
    élise élodie émeline érica étienne íñigo özge øystein øyvind ümit şebnem şeyma şule
    """
)

#: Names that are also words, months, places or peoples: alone they name nobody without a second piece of evidence.
AMBIGUOUS = listed(
    """
    adelaide amber angel april art asia aurora autumn austin avery bailey basil bay bill blake bonnie brandy
    brook brooke brooklyn buddy carter cash chad charity chase chelsea cheyenne china christian christy clay
    cliff colt coral crystal curt daisy dakota dale dallas dane dawn dean delta denver destiny devon diamond
    dick dolly don drew duke earl eden ember england erica ernest eve fabian faith fay fern finn flint florence
    forest frank gay gaza genesis georgia german gill ginger glen gloria grace grant guy hal harbour harmony
    haven hazel heath heaven holly hope hunter india iris israel italia ivy jade jasmine jay jersey jet jewel
    jordan josh joy june jean ken kerry kelly kenya kit lance laurel lee lexi liberty lily london lord lorraine
    lourdes lucky mac major marina mark mason martial matt may melody mercy merry mike milan miles milo misty
    nick noble norman octavia olive opal page paige paris parker pat patience patsy pearl penny pepper perry peg
    phoenix pierce piper poppy porter prince prudence queen rain raven ray read red reed rex rich rick river rob
    robin rock rod roman rose rosemary ruby rusty ruth sage sandy savannah scarlett scout sky skye spencer
    sterling stone storm sue summer sunny sydney tad temple terry trinity troy valentine victor victoria viola
    violet virginia walker wade ward wally warren west wolf will willow winter woody wren york zion
    """
) - listed(  # plain names that the lists above share with rarer words: the name is what people say
    """
    erica fabian glen gloria hazel holly iris ivy jade jasmine jean ken kerry kelly lorraine marcus matt melody
    mike milo nick octavia patsy pearl penny rick rob roman rosemary ruth skye sue terry valentine victor
    victoria viola warren basil aurora avery blake eve ernest finn hal marina miles norman ray sandy josh
    """
)

#: Short forms, each line one person's possible names. "Steph" may be Stephanie; "Andrew" may be called Andy.
_SHORT_FORMS = """
    abigail abby abbie gail
    agnieszka aga
    albert al bert bertie
    alexander alex alec sandy sasha xander lex
    alexandra alex sandra sasha lexa
    alfred alf alfie fred
    alison allison ali
    amanda mandy
    andrew andy drew
    angela angie ange
    anthony tony ant anton
    antonia toni
    archibald archie
    arthur art artie
    barbara barb babs
    benjamin ben benny benji
    bernard bernie
    beverley bev
    bradley brad
    bridget biddy bridie
    cameron cam
    caroline caz carrie
    carolyn carrie
    catherine katherine kathryn kate katie kathy cathy kath cath kat kitty katy kit
    cecilia cecily cissy
    charles charlie chuck chas
    charlotte charlie lottie
    christine chris chrissie
    christina chris tina christy
    christopher chris kit
    clifford cliff
    cynthia cindy
    daniel dan danny
    danielle dani
    david dave davey
    deborah debra deb debbie
    dominic dom
    donald don donny
    dorothy dot dottie dolly
    douglas doug dougie
    edward ed eddie ted teddy ned
    eleanor ellie nell elle
    elizabeth elisabeth liz lizzie beth bettina betty eliza libby betsy bess
    emily em emmy
    eugene gene
    florence flo florrie
    frances fran frankie
    francesca fran frankie
    francis frank frankie
    frederick fred freddie
    gabriel gabe
    gabriella gabby
    geoffrey jeffrey geoff jeff
    george georgie
    georgina georgia georgie gina
    gerald gerard gerry jerry
    gillian gill jill
    gregory greg
    gwendolyn gwen
    harold harry hal
    henrietta hattie etta harriet
    henry harry hank hal
    isabel izzy bella
    isabella izzy bella
    isabelle izzy bella
    jacob jake
    jacqueline jackie jacqui
    james jim jimmy jamie
    jane janey
    janet jan
    jennifer jen jenny jenn
    jeremy jem jerry
    jessica jess jessie
    joanna jo
    joanne jo
    john johnny jack jon
    jonathan jon jonny jono
    joseph joe joey
    josephine jo josie
    joshua josh
    judith judy jude
    julian jules
    katarzyna kasia
    kenneth ken kenny
    lawrence laurence larry laurie loz
    leonard leo len lenny
    lillian lily lil
    louis lou
    louise lou
    lucinda lucy cindy
    maciej maciek
    madeleine madeline maddie
    magdalena magda lena
    małgorzata gosia
    margaret maggie meg peggy madge greta margie
    martin marty
    matthew mathew matt matty
    maximilian max
    melanie mel
    melissa mel
    michael mike mick micky mickey
    michelle shell chelle
    mohammed muhammad mohammad mohamed mo
    nathaniel nathan nate nat
    natalie nat
    natalia nat
    nicholas nicolas nick nicky nico
    nicola nicky nikki nic
    nicole nicky nikki nic
    oliver ollie olly
    olivia liv livvy
    pamela pam
    patricia pat tricia trish patsy patti paddy
    patrick pat paddy
    penelope penny
    peter pete
    philip phillip phil pip
    philippa pippa pip
    rachel rachael rach
    raymond ray
    rebecca becky becca bex
    reginald reg reggie
    richard rich rick ricky dick richie
    robert rob bob bobby robbie bert
    roberta bobbie
    roderick rod
    ronald ron ronnie
    rosemary rosie rose
    rosalind ros
    russell russ
    samuel sam sammy
    samantha sam sammy
    sandra sandy
    sarah sara sally
    sebastian seb
    simon si
    stanley stan
    stephanie stefanie steph steffi
    stephen steven steve stevie ste
    stuart stewart stu
    susan sue susie suzie suzy
    suzanne susanna sue susie suzie suzy
    sylvia sylvie
    tabitha tabby
    tamara tammy
    teresa theresa terry tess tessa
    terence terry
    theodore theo ted teddy
    thomas tom tommy thom
    timothy tim timmy
    tobias toby
    valerie val
    victor vic
    victoria vicky vicki tori
    vincent vince vinny
    virginia ginny ginnie
    vivian viv
    vivien vivienne viv
    walter walt wally
    wilhelmina billie mina
    william will bill billy
    winifred winnie
    yvonne vonnie
    zachary zach zack
"""


def _forms() -> dict[str, frozenset[str]]:
    forms: dict[str, set[str]] = {}
    for line in _SHORT_FORMS.strip().splitlines():
        names = line.split()
        for each in names:
            forms.setdefault(each, set()).update(names)
    return {each: frozenset(others) for each, others in forms.items()}


FORMS_OF = _forms()

#: Short forms count as given names, except where they are words too.
KNOWN = (
    (GIVEN_NAMES | frozenset(FORMS_OF))
    - AMBIGUOUS
    - listed(
        """
    al art ant cam chas dot ed gene lex lil nat
    """
    )
)

_POSSIBLE = KNOWN | AMBIGUOUS | GIVEN_NAMES | frozenset(FORMS_OF)


def is_given_name(word: str) -> bool:
    """Whether a single word is surely a given name, whatever its case. "José-Luis" is judged by its first part."""
    folded = word.casefold().replace("’", "'")
    return any(each in KNOWN or _is_rare_given_name(each) for each in {folded, folded.partition("-")[0]})


@cache
def _rare_given_names() -> frozenset[str]:
    """Read once, when first asked: 26,000 names of three letters a to z and more."""
    lines = (Path(__file__).parent / "given_names_of_the_world.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line.isalpha())


def _is_rare_given_name(folded: str) -> bool:
    return fold(folded) in _rare_given_names()  # which have no accents, and are none of the names above


def may_be_given_name(word: str) -> bool:
    """The same, counting the names that are words as well: "Grace", "Jordan", "Will"."""
    return is_given_name(word) or word.casefold() in _POSSIBLE


def are_forms_of_one_name(one: str, other: str) -> bool:
    """Whether two given names may call one person: equal but for accents, or short forms of each other or a third."""
    first, second = one.casefold(), other.casefold()
    return first == second or second in FORMS_OF.get(first, frozenset()) or (fold(first) == fold(second) != "")


def is_beginning_of(heard: str, given: str) -> bool:
    """ "Phil" for Philipp, "Anna" for Anna-Katharina: short for a name, not so near that it is another."""
    one, other = fold(heard), fold(given)
    if "-" in given and one == fold(given.split("-")[0]) != "":
        return True
    return len(one) >= 3 and len(other) >= len(one) + 2 and other.startswith(one)
